import { afterEach, expect, test, vi } from 'vitest'
import { Interrupt } from '../../../../src/deploy/context/interrupt.ts'
import type { Shipit } from '../../../../src/shipit.ts'

const interrupt = () => new Interrupt({ config: {} } as Shipit)
const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never)
const said = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
afterEach(() => {
  vi.clearAllMocks()
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error')
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s lets a step end in order', async (name) => {
  const one = interrupt()
  await one.during(async () => {
    process.emit(name)
    expect(one.signal.reason).toMatchObject({ exitCode: 130 })
  })
  expect(exit).not.toHaveBeenCalled()
  one.close()
  expect(process.listenerCount('SIGHUP')).toBe(0)
})

test('a terminal that is closed says so twice, and takes no output any more', async () => {
  const one = interrupt()
  await one.during(async () => {
    process.emit('SIGHUP')
    process.emit('SIGHUP')
    expect(() => process.stdout.emit('error', new Error('EIO'))).not.toThrow()
    expect(() => process.stderr.emit('error', new Error('EIO'))).not.toThrow()
  })
  expect(exit).not.toHaveBeenCalled()
  one.close()
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s outside of a step ends the process', (name) => {
  const one = interrupt()
  process.emit(name)
  expect(exit).toHaveBeenCalledWith(130)
  expect(said).toHaveBeenCalled()
  one.close()
})
