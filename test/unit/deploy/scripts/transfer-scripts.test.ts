import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readReleaseScript, writeReleaseScript } from '../../../../src/deploy/scripts/releases/copy-script.ts'
import { notePackageScript } from '../../../../src/deploy/scripts/releases/find-release-script.ts'
import {
  parseReleases,
  releasesScript,
  revisionScript,
} from '../../../../src/deploy/scripts/releases/releases-script.ts'
import { undoScript } from '../../../../src/deploy/scripts/releases/undo-script.ts'
import { parseStatus, statusScript } from '../../../../src/deploy/scripts/status-script.ts'
import { parseStopped, stopScript } from '../../../../src/deploy/scripts/stop-script.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's "))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const sh = (script: string, input?: Buffer) =>
  execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: 'pipe', ...(input && { input }) })

function file(name: string, content = ''): string {
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

const author = { who: 'ann@desk', when: '2026-01-02T03:04:05.678Z' }

test.each([true, false])('undoing removes what is half made; the release itself: %s', (withRelease) => {
  for (const name of ['tmp/7/package', 'releases/.7.partial/a', 'releases/7/a', 'releases/6/a']) file(name)
  sh(undoScript({ directory: join(root, 'tmp/7'), deployTo: root, tag: '7', withRelease, author }))
  expect(readdirSync(join(root, 'tmp'))).toEqual([])
  expect(readdirSync(join(root, 'releases')).sort()).toEqual(withRelease ? ['6'] : ['6', '7'])
})

test('undoing ends what unpacks and leaves alone another process of that pid', async () => {
  const program = file('murder.mjs', 'setInterval(() => {}, 1000); console.log()')
  const [unpacks, other] = ['receive', 'status'].map((word) => spawn(process.execPath, [program, word]))
  if (!unpacks || !other) throw new Error('never')
  try {
    await Promise.all([once(unpacks.stdout, 'data'), once(other.stdout, 'data')])
    const ended = once(unpacks, 'exit')
    for (const { pid } of [unpacks, other]) file(`tmp/7/receive-${pid}`)
    const script = undoScript({
      directory: join(root, 'tmp/7'),
      deployTo: root,
      author,
      tag: '7',
      withRelease: false,
    })
    await promisify(execFile)('sh', ['-c', script]) // without blocking: only this process can reap its child
    await ended
    expect(other.exitCode).toBeNull()
    expect(other.signalCode).toBeNull()
  } finally {
    unpacks.kill()
    other.kill()
  }
})

test('a release is copied as it is, and a half archive leaves nothing', () => {
  const release = "it's 1"
  file(`from/releases/${release}/a`, 'x'.repeat(20_000))
  chmodSync(file(`from/releases/${release}/b/c`), 0o750)
  const archive = Buffer.from(sh(readReleaseScript(join(root, 'from/releases'), release)), 'base64')
  const script = writeReleaseScript(join(root, 'to'), release, author)
  expect(() => sh(script, archive.subarray(0, archive.length / 2))).toThrow()
  expect(readdirSync(join(root, 'to/releases'))).toEqual([])
  // The disk has all of it before it gets its name.
  sh(
    `sync() { [ "$1" = -f ] || return 0; [ ! -e ${JSON.stringify(release)} ] && ls "$2" >../synced; }\n${script}`,
    archive,
  )
  expect(readFileSync(join(root, 'to/synced'), 'utf8')).toBe('a\nb\n')
  expect(readdirSync(join(root, 'to/releases'))).toEqual([release])
  expect(readFileSync(join(root, 'to/releases', release, 'a'), 'utf8')).toHaveLength(20_000)
  expect(sh(`ls -l ${JSON.stringify(join(root, 'to/releases', release, 'b/c'))}`)).toMatch(/^-rwxr-x---/)
})

test('the package of a directory is noted before there is one, and compared afterwards', () => {
  const [path, note] = [join(root, 'releases/1'), join(root, 'murder/unpacked/1')]
  const ask = (sha256: string) => sh(notePackageScript({ path, note, sha256 }))
  expect(ask('aa')).toBe('')
  expect(readFileSync(note, 'utf8')).toBe('aa\n')
  file('releases/1/a')
  expect(ask('aa')).toBe('same\n')
  expect(ask('bb')).toBe('other\n')
  rmSync(note)
  expect(ask('aa')).toBe('other\n')
  expect(existsSync(note)).toBe(false)
})

test('releases and revisions of a server', () => {
  const server = { label: 'a' } as Server
  const ask = (deployTo: string) =>
    parseReleases([{ server, ok: true, stdout: sh(releasesScript(deployTo)), stderr: '' }]).get(server)
  expect(ask(root)).toEqual({ live: undefined, releases: [], history: [] })
  file('releases/1/REVISION', 'abc\n')
  file('releases/2/a')
  symlinkSync('releases/1/', join(root, 'current'))
  expect(ask(root)).toEqual({ live: '1', releases: ['2', '1'], history: [] })
  expect(sh(revisionScript(root, '1'))).toBe('abc\n')
  expect(sh(revisionScript(root, '2'))).toBe('')
})

/** A stand-in for the agent: says how it was called. */
const AGENT = `const [, , word, ...rest] = process.argv
console.log(word === 'stop' ? 'Stopped the peer 7 (pid 12)' : JSON.stringify([{ role: 'peer', tag: rest.at(-1) }]))`

test.each(['murder-1.mjs', 'murder-2.mjs'])('status and stop with the agent %s', (name) => {
  file(`murder/${name}`, AGENT)
  const paths = {
    deployTo: root,
    remotePath: join(root, 'murder'),
    temporaryPath: join(root, 'tmp'),
    agent: join(root, 'murder/murder-1.mjs'),
    node: process.execPath,
  }
  file('tmp/7/peer-7/state.json')
  file('tmp/not-ours/peer-7/state.json')
  expect(parseStatus({ label: 'a' }, sh(statusScript(paths)))).toMatchObject({
    node: process.version,
    agent: name === 'murder-1.mjs',
    current: null,
    runs: [{ tag: join(root, 'tmp/7') }, { tag: join(root, 'tmp/not-ours') }],
  })
  expect(parseStopped(sh(stopScript(paths, '8')))).toEqual([])
  expect(parseStopped(sh(stopScript(paths, undefined)))).toEqual([{ tag: '7', pid: 12 }])
  expect(readdirSync(join(root, 'tmp'))).toEqual(['not-ours'])
})
