import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkSpace, missingInodes, missingSpace } from '../../../../src/deploy/preflight/space.ts'
import { faultOf, hasZstd, sameMachine } from '../../../../src/deploy/preflight/verdict.ts'
import {
  factsScript,
  parseAddresses,
  parseFacts,
  type ServerFacts,
} from '../../../../src/deploy/scripts/facts-script.ts'
import type { Transfer } from '../../../../src/deploy/transfer/transfer.ts'
import { sha256Of } from '../../../../src/files/hash.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "facts it's "))
})
afterEach(() => rmSync(root, { recursive: true }))

const program = 'the program'
const content = { bytes: program.length, sha256: sha256Of(program) }

/** Asks this machine, as a server with a login banner would be asked. */
function ask(node = process.execPath, env: Record<string, string> = {}): ServerFacts {
  const deployTo = join(root, 'app')
  const remotePath = join(deployTo, 'shared/murder')
  const paths = { deployTo, remotePath, temporaryPath: join(remotePath, 'tmp') }
  const script = factsScript({ ...paths, agent: join(remotePath, 'murder-1.mjs'), node, content })
  return parseFacts(`Welcome = hello\n${execFileSync('/bin/sh', ['-c', script], { env, encoding: 'utf8' })}`)
}

const facts = (over: Partial<ServerFacts> = {}): ServerFacts => ({
  ...parseFacts(''),
  node: 'v20.19.0',
  ...over,
})
const space = (fileSystem: string, free: number, inodes = Number.POSITIVE_INFINITY) => ({
  ...{ fileSystem, free, inodes },
})

describe('the script that asks', () => {
  it('finds nothing on a new server and makes what a deploy needs', () => {
    const found = ask(process.execPath, {
      SSH_CONNECTION: '192.0.2.1 50000 192.0.2.9 22',
      PATH: '/usr/bin:/bin',
    })
    expect(found).toMatchObject({
      node: process.version,
      hasAgent: false,
      clientAddress: '192.0.2.1',
      serverAddress: '192.0.2.9',
      currentRelease: undefined,
      newestRelease: undefined,
      problem: undefined,
    })
    expect(found.releases.free).toBeGreaterThan(0)
    expect(found.releases.fileSystem).toMatch(/^\//)
    const { files, ffree } = statfsSync(root)
    if (files > 0) expect(Math.abs(found.releases.inodes - ffree)).toBeLessThan(files / 10)
    expect(found.temporary.inodes).toBeGreaterThan(0)
    expect(ask().identity).toBe(found.identity)
  })

  it('finds agent, current release and revision', () => {
    ask()
    const app = join(root, 'app')
    writeFileSync(join(app, 'shared/murder/murder-1.mjs'), program)
    mkdirSync(join(app, 'releases/20260101000000'))
    writeFileSync(join(app, 'releases/20260101000000/REVISION'), 'abc\n')
    symlinkSync('releases/20260101000000', join(app, 'current'))
    expect(ask()).toMatchObject({ hasAgent: true, currentRelease: '20260101000000', revision: 'abc' })
    expect(ask().base).toBeUndefined()
    mkdirSync(join(app, '.murder-bases'))
    const note = join(app, '.murder-bases/20260101000000')
    writeFileSync(note, Buffer.concat([Buffer.from(`${'ab'.repeat(32)}\n`), Buffer.from([0, 255, 10, 128])]))
    expect(ask()).toMatchObject({ base: 'ab'.repeat(32), revision: 'abc' })
    writeFileSync(note, '../'.repeat(22))
    expect(ask().base).toBeUndefined()
    for (const name of ['20260101000001', '20251231000000', 'old']) mkdirSync(join(app, 'releases', name))
    expect(ask()).toMatchObject({ currentRelease: '20260101000000', newestRelease: '20260101000001' })
    rmSync(join(app, 'releases/20260101000000'), { recursive: true })
    expect(ask().currentRelease).toBeUndefined() // a link to nothing
  })

  it('finds what was staged, unless something has become of it', () => {
    ask()
    const app = join(root, 'app')
    const [live, staged] = ['20260101000000', '20260102000000']
    for (const name of [live, staged]) mkdirSync(join(app, 'releases', name))
    symlinkSync(`releases/${live}`, join(app, 'current'))
    expect(ask().staged).toBeUndefined()
    const note = (...events: [string, string][]) =>
      writeFileSync(
        join(app, '.murder-history'),
        events.map(([event, release]) => `2026-01-02T03:04:05Z\t${event}\t${release}\tann\n`).join(''),
      )
    note(['live', live], ['receiving', staged], ['staged', staged])
    expect(ask().staged).toEqual({ release: staged, base: undefined })
    mkdirSync(join(app, '.murder-bases'))
    writeFileSync(join(app, '.murder-bases', staged), `${'ab'.repeat(32)}\n`)
    expect(ask()).toMatchObject({
      currentRelease: live,
      newestRelease: staged,
      base: undefined,
      staged: { release: staged, base: 'ab'.repeat(32) },
    })
    note(['staged', staged], ['live', staged])
    expect(ask().staged).toBeUndefined()
    note(['staged', '../../etc'])
    expect(ask().staged).toBeUndefined()
    note(['staged', staged])
    rmSync(join(app, 'releases', staged), { recursive: true })
    expect(ask().staged).toBeUndefined()
  })

  it('finds no agent where only its name was left, or its length', () => {
    ask()
    const path = join(root, 'app/shared/murder/murder-1.mjs')
    const hasAgent = (text: string, env = {}) => {
      writeFileSync(path, text)
      return ask(process.execPath, env).hasAgent
    }
    expect(hasAgent('')).toBe(false)
    expect(hasAgent('\0'.repeat(program.length))).toBe(false)
    expect(hasAgent(program)).toBe(true)
    // Without sha256sum the length decides.
    const tools = join(root, 'tools')
    mkdirSync(tools)
    for (const name of ['wc', 'mkdir', 'date', 'df']) symlinkSync(`/usr/bin/${name}`, join(tools, name))
    expect(hasAgent(program, { PATH: tools })).toBe(true)
    expect(hasAgent('', { PATH: tools })).toBe(false)
  })

  it('says what is in the way', () => {
    mkdirSync(join(root, 'app/current'), { recursive: true })
    expect(ask().problem).toBe(`${root}/app/current is a directory, not a link: move it away`)
    rmSync(join(root, 'app/current'), { recursive: true })
    writeFileSync(join(root, 'app/current'), '')
    expect(ask().problem).toBe(`${root}/app/current is a file, not a link: move it away`)
    rmSync(join(root, 'app'), { recursive: true })
    writeFileSync(join(root, 'app'), '')
    expect(ask().problem).toBe(`${root}/app is not a directory`)
  })

  it('tells why a directory cannot be made', () => {
    mkdirSync(join(root, 'app'))
    writeFileSync(join(root, 'app/shared'), '')
    expect(ask().problem).toMatch(/app\/shared\/murder cannot be made: (Not a directory|File exists)$/)
  })

  it('has no version where Node is missing', () => {
    const found = ask('/nowhere/node')
    expect(found.node).toBeUndefined()
    expect(faultOf(found, '/nowhere/node')).toMatchObject({ code: 'NO_NODE' })
  })

  it.each([
    ['--require /no/such.js', "Error: Cannot find module '/no/such.js'"],
    ['--no-such-option', 'is not allowed in NODE_OPTIONS'],
  ])('runs a script of Node as a deploy does: NODE_OPTIONS=%s', (options, said) => {
    const found = ask(process.execPath, { PATH: '/usr/bin:/bin', NODE_OPTIONS: options })
    expect(found.node).toBeUndefined()
    expect(found.temporary.free).toBeGreaterThan(0)
    expect(faultOf(found, 'node')).toMatchObject({
      code: 'NODE_BROKEN',
      message: expect.stringMatching(`^Node.js does not run there: .*${said}$`),
    })
  })

  it('takes a Node that warns', () => {
    const warning = join(root, 'warn.cjs')
    writeFileSync(warning, 'process.emitWarning("x"); console.log("loaded")')
    expect(
      ask(process.execPath, { PATH: '/usr/bin:/bin', NODE_OPTIONS: `--require "${warning}"` }).node,
    ).toBe(process.version)
  })

  it.each([
    ['glibc', { getconf: 'echo glibc 2.17', uname: 'echo Linux aarch64' }, 'aarch64', 'glibc 2.17'],
    [
      'ldd',
      { getconf: 'exit 1', ldd: 'echo "ldd (Debian GLIBC 2.36-9+deb12u14) 2.36"' },
      undefined,
      'glibc 2.36',
    ],
    ['musl', { getconf: 'exit 1', ldd: 'echo "musl libc (x86_64)" >&2; exit 1' }, undefined, 'musl'],
    ['nothing', { getconf: 'exit 1', ldd: 'exit 127' }, undefined, undefined],
  ])('tells where no Node is what one would run on: %s', (_, programs, machine, libc) => {
    mkdirSync(join(root, 'bin'))
    for (const [name, does] of Object.entries(programs))
      writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${does}\n`, { mode: 0o755 })
    const { platform } = ask('/nowhere/node', { PATH: `${root}/bin:/usr/bin:/bin` })
    expect(platform).toMatchObject({ system: 'Linux', libc, isNoexec: false })
    if (machine !== undefined) expect(platform?.machine).toBe(machine)
    expect(platform?.free).toBeGreaterThan(0)
    expect(ask().platform).toBeUndefined()
  })

  it('finds a Node that has a version and runs no script', () => {
    const small = join(root, 'node')
    const crash = String.raw`printf '\n#\n# Fatal process OOM in x\n#\n\n' >&2; exit 133`
    writeFileSync(small, `#!/bin/sh\n[ "$1" = --version ] && exec echo v20.20.2\n${crash}\n`, { mode: 0o755 })
    expect(faultOf(ask(small), 'node')?.message).toBe('Node.js does not run there: Fatal process OOM in x')
  })
})

describe('faultOf', () => {
  it.each([
    ['v20.19.0', undefined],
    ['v24.0.0', undefined],
    ['v20.18.3', 'OLD_NODE'],
    ['v9.0.0', 'OLD_NODE'],
    ['hello', 'NO_NODE'],
    [undefined, 'NO_NODE'],
  ])('Node %s: %s', (node, code) => expect(faultOf(facts({ node }), 'node')?.code).toBe(code))

  it('names a problem before anything else', () => {
    expect(faultOf(facts({ node: undefined, problem: '/srv is not writable' }), 'node')).toMatchObject({
      code: 'SERVER_PATH',
      message: '/srv is not writable',
    })
  })
})

it.each([
  ['v22.14.0', false],
  ['v22.15.0', true],
  ['v23.7.0', false],
  ['v23.8.0', true],
  ['v24.0.0', true],
  [undefined, false],
])('Node %s has zstd: %s', (node, has) => expect(hasZstd(facts({ node }))).toBe(has))

it.each([
  ['one file system has room for both', space('/', 300), space('/', 300), 0],
  ['one file system lacks room for both', space('/', 299), space('/', 299), 1],
  ['two have room for one each', space('/tmp', 100), space('/', 200), 0],
  ['the temporary one lacks room', space('/tmp', 90), space('/', 200), 10],
  ['the other one lacks room', space('/tmp', 100), space('/', 150), 50],
])('%s', (_, temporary, releases, missing) => {
  expect(missingSpace(facts({ temporary, releases }), 100, 200)).toBe(missing)
})

it('wants room for a staged release and for the one that is made of it', () => {
  const server = { label: 'a' } as Server
  const found = new Map([[server, facts({ temporary: space('/', 500), releases: space('/', 500) })]])
  const gets = () => ({ length: 100, extent: { entries: 1, bytes: 300 } }) as Transfer
  expect(checkSpace([server], found, gets)).toEqual([])
  expect(checkSpace([server], found, gets, 2)).toEqual([
    expect.objectContaining({
      server: 'a',
      cause:
        'the disk is too full: the package takes 100 B and the staged release and the one that is made of it 600 B, 500 B are free',
    }),
  ])
})

it('takes unknown space for enough', () => expect(missingSpace(facts(), 1e15, 1e15)).toBe(0))

it.each([
  ['10.0.0.1 5 10.0.0.2 22', '10.0.0.1', '10.0.0.2', 22],
  ['::ffff:10.0.0.1 5 ::ffff:10.0.0.2 2222', '10.0.0.1', '10.0.0.2', 2222],
  ['fe80::1%eth0 5 fe80::2%eth0 99999', 'fe80::1', 'fe80::2', undefined],
  ['', undefined, undefined, undefined],
])('addresses of SSH_CONNECTION %s', (connection, clientAddress, serverAddress, serverPort) => {
  expect(parseAddresses(`noise\nssh=${connection}\n`)).toEqual({ clientAddress, serverAddress, serverPort })
})

describe('a directory that two servers share', () => {
  const nfs = 'releases=nas:/srv 9 9 500 5% /srv\ntemporary=/dev/sda1 9 9 500 5% /'
  const says = (boot: string, disks: string, ...places: string[]) =>
    parseFacts(`${disks}\nboot=${boot}\nplace=${places.join('\n')}\n`)
  const error = (...all: ServerFacts[]) => sameMachine(all.map((facts, at) => ({ label: `s${at}`, facts })))

  it('is found on a network file system, by share and inode', () => {
    const a = says('boot-a', nfs, '40:7', '40:8', '1:9')
    expect(error(a, says('boot-b', nfs, '51:7', '51:8', '1:9'))).toMatchObject({
      code: 'SHARED_DIRECTORY',
      message: 's0 and s1 share one directory: deployTo',
    })
    expect(error(a, says('boot-b', nfs, '51:17', '51:18', '1:9'))).toBeUndefined()
  })

  it('is found under one kernel, also when only temporary files share it', () => {
    const local = nfs.replace('nas:/srv', '/dev/sda1')
    const a = says('boot-a', local, '1:1', '1:2', '1:3')
    expect(error(a, says('boot-a', local, '1:4', '1:5', '1:3'))).toMatchObject({
      message: 's0 and s1 share one directory: murder.temporaryPath',
      cure: expect.stringContaining('murder.temporaryPath'),
    })
    expect(error(a, says('boot-b', local, '1:1', '1:2', '1:3'))).toBeUndefined()
  })

  it('is no trouble for one server that has all in one directory', () => {
    expect(error(says('boot-a', nfs, '1:1', '1:1', '1:1'))).toBeUndefined()
    expect(ask().places).toHaveLength(3)
  })
})

it('knows one machine under two names, not two that cannot be told apart', () => {
  const [a, b] = ['a', 'b'].map((label) => ({ label, facts: facts({ identity: 'boot 1:2' }) }))
  const c = { label: 'c', facts: facts({ identity: undefined }) }
  if (!a || !b) throw new Error('never')
  expect(sameMachine([a, c, b])).toMatchObject({
    code: 'SAME_SERVER',
    message: 'a and b are the same machine',
  })
  expect(sameMachine([a, c, { ...c, label: 'd' }])).toBeUndefined()
})

it.each([
  ['one file system has as many as both need', space('/', 0, 120), space('/', 0, 120), false, 0],
  ['one file system has too few', space('/', 0, 119), space('/', 0, 119), false, 1],
  [
    'files that travel one by one are there once on one file system',
    space('/', 0, 120),
    space('/', 0, 120),
    true,
    0,
  ],
  ['and twice on two', space('/tmp', 0, 20), space('/', 0, 100), true, 100],
  ['a package takes few', space('/tmp', 0, 20), space('/', 0, 100), false, 0],
  ['the releases have too few', space('/tmp', 0, 20), space('/', 0, 90), false, 10],
  ['unknown is enough', space('/tmp', 0), space('/', 0), true, 0],
])('inodes: %s', (_, temporary, releases, directory, missing) => {
  expect(missingInodes(facts({ temporary, releases }), 100, directory)).toBe(missing)
})

it.each([
  ['tmpfs 5 1 4 20% /run', 4],
  ['/dev/sda1 5 5 0 100% /', 0],
  ['/dev/btrfs 0 0 0 - /', Number.POSITIVE_INFINITY],
  ['', Number.POSITIVE_INFINITY],
])('inodes that df -Pi tells of: %j', (line, inodes) => {
  const found = parseFacts(`temporaryInodes=${line}\nreleasesInodes=${line}`)
  expect([found.temporary.inodes, found.releases.inodes]).toEqual([inodes, inodes])
})
