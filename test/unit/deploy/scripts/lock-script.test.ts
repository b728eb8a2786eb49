import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  breakLockScript,
  holdLockScript,
  type LockOwner,
  lockStatusScript,
  parseLock,
  stillLockedScript,
  takeLockScript,
} from '../../../../src/deploy/scripts/lock-script.ts'
import { SAID_ALL } from '../../../../src/fleet/persistent-shell-script.ts'

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

let directory: string
let children: ChildProcess[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'))
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

const sh = (script: string) => execFileSync('sh', ['-c', script], { encoding: 'utf8' })
const files = () => readdirSync(directory)

/** Holds the lock until its input ends. */
async function hold(
  id: string,
  ended: string[] = [],
): Promise<{ said: string; child: ChildProcess; gone: Promise<unknown> }> {
  const child = spawn('sh', ['-c', holdLockScript(directory, owner(id), { ended })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
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
  expect(sh(`${stillLockedScript(directory, owner('1'))}; echo yes`)).toBe('yes\n')
  expect(() =>
    execFileSync('sh', ['-c', stillLockedScript(directory, owner('2'))], { stdio: 'pipe' }),
  ).toThrow('somebody else has taken the lock meanwhile')
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

test('of many at once exactly one gets it', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, (_, index) => hold(String(index))))
  expect(all.filter(({ said }) => parseLock(said) === 'taken')).toHaveLength(1)
  expect(files()).toEqual(['lock'])
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
