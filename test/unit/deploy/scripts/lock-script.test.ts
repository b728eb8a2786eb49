import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fenceScript, outsiderFenceScript } from '../../../../src/deploy/scripts/fence-script.ts'
import {
  breakLockScript,
  holdLockScript,
  type LockOwner,
  lockStatusScript,
  parseLock,
  removeLockScript,
  takeLockScript,
} from '../../../../src/deploy/scripts/lock-script.ts'
import { publishScript } from '../../../../src/deploy/scripts/releases/publish-script.ts'
import { furtherScript, SAID_ALL } from '../../../../src/fleet/persistent-shell-script.ts'

const owner = (id: string, kind: LockOwner['kind'] = 'deploy'): LockOwner => ({
  ...{
    id,
    kind,
    who: "o'brien@laptop",
    what: 'deploy of "production"',
    when: '2026-01-02T03:04:05.000Z',
    process: '',
  },
})

const AUTHOR = { who: 'ann@desk', when: '2026-01-02T03:04:05.678Z' }
let directory: string
let children: ChildProcess[]
/** Where the programs of `hold` are found. */
let path = process.env.PATH
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'))
  path = process.env.PATH
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

const sh = (script: string) => execFileSync('sh', ['-c', script], { encoding: 'utf8' })
const point = (release: string) => {
  rmSync(join(directory, 'current'), { force: true })
  symlinkSync(`releases/${release}`, join(directory, 'current'))
}
/** But the note of the last one. */
const files = () => readdirSync(directory).filter((name) => name !== 'last-lock' && name !== 'current')

const shells = [['sh'], ['busybox', 'sh']]

/** `current` is the directory's own, and was not there when the lock was taken. */
const known = (...links: string[]) => ({ deployTo: directory, links: ['', ...links] })

/** What a fence says where it refuses; nothing where it lets through. */
function passes(id: string, [shell = '', ...args]: readonly string[] = ['sh'], fence = 'fence'): string {
  const script = `${fenceScript(directory, owner(id), known('releases/own'))}\n${fence}`
  const { status, stdout, stderr } = spawnSync(shell, [...args, '-c', script], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status === 0).toBe(stderr === '')
  return stderr
}

/** Holds the lock until its input ends. */
async function hold(
  id: string,
  ended: string[] = [],
  again = false,
): Promise<{ said: string; child: ChildProcess; gone: Promise<unknown> }> {
  const child = spawn(
    'sh',
    ['-c', holdLockScript(directory, owner(id), { ended, again, known: known('releases/own') })],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PATH: path },
    },
  )
  children.push(child)
  const gone = once(child, 'exit')
  let said = ''
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk
      if (said.includes(SAID_ALL)) resolve()
    })
    child.once('close', () => resolve())
  })
  return { said, child, gone }
}

test('a lock lasts as long as the input of the command that holds it', async () => {
  const first = await hold('1')
  expect(parseLock(first.said)).toBe('taken')
  expect(parseLock(sh(lockStatusScript(directory)))).toMatchObject({ ...owner('1'), age: expect.any(Number) })
  const second = await hold('2')
  expect(parseLock(second.said)).toMatchObject(owner('1'))
  first.child.stdin?.end()
  await first.gone
  expect(files()).toEqual([])
  expect(parseLock((await hold('2')).said)).toBe('taken')
})

test('a holder that was killed has no lock any more, nor one that gave no sign of life', async () => {
  const first = await hold('1')
  first.child.kill('SIGKILL')
  await first.gone
  expect(existsSync(join(directory, 'lock'))).toBe(true)
  expect(parseLock(sh(lockStatusScript(directory)))).toBeUndefined()
  const second = await hold('2')
  expect(parseLock(second.said)).toBe('taken')
  const past = new Date(Date.now() - 240_000)
  utimesSync(join(directory, 'lock'), past, past)
  expect(parseLock((await hold('3')).said)).toBe('taken')
  second.child.stdin?.end()
  await second.gone
  expect(parseLock(sh(lockStatusScript(directory)))).toMatchObject({ id: '3' })
})

test('the same owner takes its lock over from a connection that broke', async () => {
  const first = await hold('1')
  const again = await hold('1')
  expect(parseLock(again.said)).toBe('taken')
  first.child.stdin?.end()
  await first.gone
  expect(parseLock(sh(lockStatusScript(directory)))).toMatchObject({ id: '1' })
  expect(passes('1')).toBe('')
  expect(passes('2')).toContain('somebody else has taken the lock meanwhile')
})

test('a manual lock stays until it is broken', async () => {
  expect(parseLock(sh(takeLockScript(directory, owner('1', 'manual'))))).toBe('taken')
  const past = new Date(Date.now() - 86_400_000)
  utimesSync(join(directory, 'lock'), past, past)
  expect(parseLock((await hold('2')).said)).toMatchObject(owner('1', 'manual'))
  expect(parseLock(sh(takeLockScript(directory, owner('3', 'manual'))))).toMatchObject({ id: '1' })
  expect(parseLock(sh(breakLockScript(directory)))).toMatchObject({ id: '1' })
  expect(sh(breakLockScript(directory))).toBe('')
  expect(files()).toEqual([])
})

test('an owner removes its own lock, and no other', async () => {
  await hold('1')
  sh(removeLockScript(directory, owner('2')))
  expect(files()).toEqual(['lock'])
  sh(removeLockScript(directory, owner('1')))
  sh(removeLockScript(directory, owner('1')))
  expect(files()).toEqual([])
})

test('of many at once exactly one gets it', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, (_, index) => hold(String(index))))
  expect(all.filter(({ said }) => parseLock(said) === 'taken')).toHaveLength(1)
  expect(files()).toEqual(['lock'])
})

test('where there are no hard links the lock is the same, also for who can make them', async () => {
  const bin = mkdtempSync(join(tmpdir(), 'bin-'))
  writeFileSync(join(bin, 'ln'), '#!/bin/sh\necho Operation not permitted >&2\nexit 1\n', { mode: 0o755 })
  path = `${bin}:${path}`
  const all = await Promise.all(Array.from({ length: 8 }, (_, index) => hold(String(index))))
  const [holder, ...more] = all.filter(({ said }) => parseLock(said) === 'taken')
  expect(more).toEqual([])
  path = process.env.PATH
  expect(parseLock((await hold('9')).said)).toMatchObject({
    id: String(all.findIndex(({ child }) => child === holder?.child)),
  })
  holder?.child.kill('SIGKILL')
  await holder?.gone
  path = `${bin}:${path}`
  expect(parseLock((await hold('9')).said)).toBe('taken')
  expect(statSync(join(directory, 'lock')).mode & 0o777).toBe(0o644)
  expect(files()).toEqual(['lock'])
  rmSync(bin, { recursive: true })
})

test('what is no lock of ours is told as far as it can be', () => {
  writeFileSync(join(directory, 'lock'), 'garbage\n\n{"who": 5, "what": "x"}\n')
  expect(parseLock(sh(lockStatusScript(directory)))).toMatchObject({
    who: 'somebody',
    what: 'x',
    kind: 'manual',
  })
})

test('a lock whose owner is known to have ended is replaced, and no other', async () => {
  await hold('1')
  expect(parseLock((await hold('2', ['0', '3'])).said)).toMatchObject(owner('1'))
  expect(parseLock((await hold('2', ['0', '1'])).said)).toBe('taken')
  expect(parseLock(sh(lockStatusScript(directory)))).toMatchObject(owner('2'))
})

test('a lock by hand stays, whatever is said of its owner', async () => {
  sh(takeLockScript(directory, owner('1', 'manual')))
  expect(parseLock((await hold('2', ['1'])).said)).toMatchObject(owner('1', 'manual'))
})

describe.each(shells.map((shell) => ({ shell })))('the fence in $shell', ({ shell }) => {
  test('takes the lock back when it is gone and current is as it was', async () => {
    await hold('1')
    expect(passes('1', shell)).toBe('')
    sh(breakLockScript(directory))
    expect(files()).toEqual([])
    expect(passes('1', shell)).toBe('')
    expect(files()).toEqual(['lock'])
    // Somebody else had it meanwhile and has not published. Then this owner has.
    sh(breakLockScript(directory))
    await hold('2')
    sh(breakLockScript(directory))
    point('own')
    expect(passes('1', shell)).toBe('')
  })

  test('refuses while somebody else has the lock, and after they have published, and says who', async () => {
    await hold('1')
    sh(breakLockScript(directory))
    const second = await hold('2')
    expect(parseLock(second.said)).toBe('taken')
    const refusal = `somebody else has taken the lock meanwhile: o'brien@laptop, deploy of \\\n`
    expect(passes('1', shell)).toBe(refusal)
    point('theirs')
    second.child.stdin?.end()
    await second.gone
    expect(passes('1', shell)).toBe(refusal)
    expect(parseLock((await hold('1', [], true)).said)).toBeUndefined()
    expect(files()).toEqual([])
  })

  test('refuses also where current was changed by who takes no lock', async () => {
    await hold('1')
    sh(breakLockScript(directory))
    point('by-hand')
    expect(passes('1', shell)).toBe('current has changed meanwhile: it points to releases/by-hand\n')
    expect(files()).toEqual([])
  })

  test('lets a publication be taken back, unless a deploy of somebody else runs', async () => {
    point('own')
    await hold('1')
    sh(breakLockScript(directory))
    expect(passes('1', shell, 'fence_back')).toBe('')
    sh(breakLockScript(directory))
    sh(takeLockScript(directory, owner('2', 'manual')))
    expect(passes('1', shell, 'fence_back')).toBe('')
    sh(breakLockScript(directory))
    await hold('2')
    expect(passes('1', shell, 'fence_back')).toContain('somebody else has taken the lock meanwhile')
  })

  test('keeps a lock alive that gave no sign of life for long', async () => {
    await hold('1')
    const past = new Date(Date.now() - 240_000)
    utimesSync(join(directory, 'lock'), past, past)
    expect(passes('1', shell)).toBe('')
    expect(parseLock((await hold('2')).said)).toMatchObject({ id: '1' })
  })

  test('of who has taken no lock refuses while somebody has it', async () => {
    const passes = () => {
      const script = `${outsiderFenceScript(directory)}\nfence`
      return spawnSync(shell[0] ?? '', [...shell.slice(1), '-c', script], { encoding: 'utf8' })
    }
    expect(passes()).toMatchObject({ status: 0, stdout: '', stderr: '' })
    const { child, gone } = await hold('1')
    expect(passes()).toMatchObject({ status: 1, stderr: expect.stringContaining("o'brien@laptop") })
    child.kill('SIGKILL')
    await gone
    expect(passes().status).toBe(0)
  })

  test('nothing is published behind somebody else', async () => {
    for (const release of ['1', '2']) mkdirSync(join(directory, 'releases', release), { recursive: true })
    const script = (release: string) =>
      publishScript(directory, { release }, AUTHOR, fenceScript(directory, owner('1'), known('releases/1')))
    const publish = (release: string) =>
      spawnSync(shell[0] ?? '', [...shell.slice(1), '-c', script(release)]).status
    await hold('1')
    expect(publish('1')).toBe(0)
    sh(breakLockScript(directory))
    await hold('2')
    expect(publish('2')).toBe(1)
    expect(readlinkSync(join(directory, 'current'))).toBe('releases/1')
  })
})

test.each<[string, (path: string) => void]>([
  ['an empty lock', (path) => writeFileSync(path, '')],
  ['a lock of zeros', (path) => writeFileSync(path, Buffer.alloc(300))],
  ['a pipe in place of a lock', (path) => execFileSync('mkfifo', [path])],
  ['a directory in place of a lock', (path) => cpSync(import.meta.dirname, path, { recursive: true })],
  ['a link to nothing in place of a lock', (path) => symlinkSync('/nowhere/at/all', path)],
])('%s holds for a while, and can always be broken', async (_, make) => {
  const path = join(directory, 'lock')
  make(path)
  const age = expect.toSatisfy((seconds: number) => seconds < 60)
  expect(parseLock((await hold('1')).said)).toMatchObject({ who: 'somebody', age })
  expect(parseLock(sh(lockStatusScript(directory)))).toMatchObject({ who: 'somebody', age })
  expect(parseLock(sh(breakLockScript(directory)))).toMatchObject({ who: 'somebody', age })
  expect(files()).toEqual([])
  make(path)
  const past = new Date(Date.now() - 240_000)
  lutimesSync(path, past, past)
  expect(parseLock(sh(lockStatusScript(directory)))).toBeUndefined()
  expect(parseLock((await hold('1')).said)).toBe('taken')
  expect(files()).toEqual(['lock'])
})

test('all users can read a lock, whatever the umask', () => {
  sh(`umask 077\n${takeLockScript(directory, owner('1', 'manual'))}`)
  expect(statSync(join(directory, 'lock')).mode & 0o777).toBe(0o644)
})

test('a holder keeps no lock alive but its own', async () => {
  const { child } = await hold('1')
  sh(breakLockScript(directory))
  sh(takeLockScript(directory, owner('2', 'manual')))
  const past = new Date(Date.now() - 240_000)
  utimesSync(join(directory, 'lock'), past, past)
  child.stdin?.write('\n')
  child.stdin?.write(furtherScript('true'))
  await once(child.stdout as never, 'data')
  expect(statSync(join(directory, 'lock')).mtimeMs).toBeCloseTo(past.getTime(), -1)
})

test('where no lock can be made the attempts end', () => {
  const place = join(directory, 'busy')
  mkdirSync(place)
  // Every link fails, and there is never a lock to look at.
  const script = `ln() { return 1; }; cat() { rm -f "$l"; return 1; }\n${takeLockScript(place, owner('1'))}`
  expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' })).toMatchObject({
    status: 1,
    stderr: `${place}/lock cannot be made\n`,
  })
  // There is one that nobody can read or move.
  writeFileSync(join(place, 'lock'), '')
  utimesSync(join(place, 'lock'), 1, 1)
  const stuck = `mv() { return 1; }\n${takeLockScript(place, owner('1'))}`
  expect(parseLock(sh(stuck))).toMatchObject({ who: 'somebody' })
})
