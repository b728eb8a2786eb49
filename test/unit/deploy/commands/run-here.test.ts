import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { commandsFor } from '../../../../src/deploy/commands/commands-for.ts'
import { type LocalCommand, runHere } from '../../../../src/deploy/commands/run-here.ts'
import { interrupted } from '../../../../src/errors.ts'

const run = (command: string, more: Partial<LocalCommand> = {}) =>
  runHere({ name: 'murder.x', command, env: {}, timeoutS: 20, ...more })

test('succeeds with exit code 0, and gets its variables and its input', async () => {
  const root = mkdtempSync(join(tmpdir(), 'here-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const file = join(root, 'said')
  const env = { FILE: file, WORD: "it's" }
  expect(await run('echo "$WORD $(cat)" >"$FILE"', { env, input: 'read' })).toBeUndefined()
  expect(readFileSync(file, 'utf8')).toBe("it's read\n")
  expect(await run('! read -r x', {})).toBeUndefined()
  expect(existsSync(file)).toBe(true)
})

test('says how it failed, in one line', async () => {
  expect((await run('echo one; echo two >&2; exit 3'))?.message).toBe(
    'murder.x ended with exit code 3: one two',
  )
  expect((await run('kill -9 $$'))?.message).toBe('murder.x failed (SIGKILL)')
  const late = await run('sleep 50', { timeoutS: 0.05 })
  expect(late).toMatchObject({ message: 'murder.x was not done after 0.05 s', code: 'HOOK_FAILED' })
})

test('a program that it leaves in the background holds nothing up', async () => {
  const begun = performance.now()
  expect(await run('sleep 15 & true')).toBeUndefined()
  expect(performance.now() - begun).toBeLessThan(10_000)
})

test('ends when it is told so', async () => {
  const reason = interrupted('x')
  expect(await run('sleep 50', { signal: AbortSignal.abort(reason) })).toBe(reason)
  const controller = new AbortController()
  const running = run('sleep 50', { signal: controller.signal })
  controller.abort(reason)
  expect(await running).toBe(reason)
})

test('says so where too many files are open: then Node gives a child without streams', async () => {
  const spawn = () => {
    const child = Object.assign(new EventEmitter(), { unref: () => {} })
    process.nextTick(() => child.emit('error', new Error('spawn /bin/sh EMFILE')))
    return child
  }
  vi.resetModules()
  vi.doMock('node:child_process', () => ({ spawn }))
  onTestFinished(() => vi.doUnmock('node:child_process'))
  const { runHere: runThere } = await import('../../../../src/deploy/commands/run-here.ts')
  const failed = await runThere({ name: 'murder.x', command: 'true', env: {}, timeoutS: 20 })
  expect(failed?.message).toBe('murder.x failed (spawn /bin/sh EMFILE)')
})

test('a server runs what is for its roles', () => {
  expect(commandsFor('x', [])).toEqual(['x'])
  expect(commandsFor({ web: 'w', db: 'd' }, ['db', 'web', 'other'])).toEqual(['d', 'w'])
  expect(commandsFor({ web: 'w' }, ['db'])).toEqual([])
  expect(commandsFor({ web: 'w' }, ['constructor'])).toEqual([])
  expect(commandsFor(undefined, ['db'])).toEqual([])
})
