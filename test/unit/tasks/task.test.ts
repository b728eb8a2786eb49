import { afterEach, describe, expect, it, vi } from 'vitest'
import { ExitCode, MurderError } from '../../../src/errors.ts'
import { keepExitCode, watchExit } from '../../../src/tasks/exit-code.ts'
import { task } from '../../../src/tasks/task.ts'
import { finish, host } from './host.ts'

afterEach(() => vi.unstubAllEnvs())

/** What Shipit prints for a task that throws this. */
async function printed(thrown: unknown): Promise<string> {
  const { shipit, lines } = host()
  task(shipit, 'murder:test', () => {
    throw thrown
  })
  expect(await finish(shipit, 'murder:test')).toBeDefined()
  return lines.at(-1) ?? ''
}

describe('a failing task prints', () => {
  it('message and cure of a MurderError, without a stack trace', async () => {
    const error = new MurderError('TEST', 'a: disk is full', { cure: 'free 3 MB in /srv' })
    expect(await printed(error)).toBe('a: disk is full — free 3 MB in /srv')
  })

  it('one line for an error that nobody foresaw', async () => {
    const line = await printed(new TypeError('x is not a function'))
    expect(line).toMatch(/^Unexpected TypeError: x is not a function — .*MURDER_DEBUG=1.*$/)
    expect(line).not.toContain('\n')
  })

  it('one line for what is not even an Error', async () => {
    expect(await printed('plain text')).toMatch(/^Unexpected Error: plain text — /)
  })

  it('stack and causes when MURDER_DEBUG is 1', async () => {
    vi.stubEnv('MURDER_DEBUG', '1')
    const text = await printed(new MurderError('TEST', 'outer', { cause: new Error('inner') }))
    expect(text).toContain('task.test.ts')
    expect(text).toContain('inner')
  })
})

it('passes the very error on to listeners of task_err', async () => {
  const { shipit } = host()
  const error = new MurderError('TEST', 'm')
  task(shipit, 'murder:test', () => Promise.reject(error))
  expect(await finish(shipit, 'murder:test')).toBe(error)
})

it('replaces a task of the same name and runs a sequence in order, one at a time', async () => {
  const { shipit } = host()
  const ran: string[] = []
  const step = (name: string) =>
    task(shipit, name, async () => {
      ran.push(`${name} starts`)
      await Promise.resolve()
      ran.push(`${name} ends`)
    })
  task(shipit, 'murder:a', () => void ran.push('replaced'))
  step('murder:b')
  step('murder:a')
  shipit.blTask('murder:both', ['murder:b', 'murder:a'])
  expect(await finish(shipit, 'murder:both')).toBeUndefined()
  expect(ran).toEqual(['murder:b starts', 'murder:b ends', 'murder:a starts', 'murder:a ends'])
})

/** The exit code of a process that ends with `process.exit(code)` after a task failed with `error`. */
async function exitCode(error: unknown, code: number): Promise<number> {
  const { shipit } = host()
  const listeners: ((code: number) => void)[] = []
  const process = {
    exitCode: code,
    once: (_: 'exit', listener: (code: number) => void) => listeners.push(listener),
  }
  keepExitCode(shipit, process as never)
  keepExitCode(shipit, process as never)
  task(shipit, 'murder:test', () => Promise.reject(error))
  await finish(shipit, 'murder:test')
  for (const listener of listeners) listener(code)
  expect(listeners.length).toBeLessThanOrEqual(1)
  return process.exitCode
}

describe('exit code after a failed task', () => {
  it.each(Object.entries(ExitCode).filter(([, code]) => code !== 0))(
    'is that of the error: %s',
    async (_, code) => {
      expect(await exitCode(new MurderError('TEST', 'm', { exitCode: code }), 1)).toBe(code)
    },
  )

  it('is 1 for any other error', async () => {
    expect(await exitCode(new Error('m'), 1)).toBe(1)
  })

  it('is left alone when something else than Shipit ends the process', async () => {
    const error = new MurderError('TEST', 'm', { exitCode: ExitCode.stalled })
    expect(await exitCode(error, 0)).toBe(0)
    expect(await exitCode(error, 137)).toBe(137)
  })
})

it.each([
  [0, 1],
  [130, 130],
])('what watches the end of the process may change exit code %d into %d', (code, wanted) => {
  const listeners: ((code: number) => void)[] = []
  const process = { exitCode: code, once: (_: 'exit', each: (code: number) => void) => listeners.push(each) }
  watchExit((ended) => ended || 1, process as never)
  for (const listener of listeners) listener(code)
  expect(process.exitCode).toBe(wanted)
})
