import { expect, test, vi } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { assertNoFailures, fleetError, tellFailures } from '../../../../src/deploy/outcome/fleet-error.ts'

const failures = [{ server: 'a', step: 'check', cause: 'the disk is full' }]

function fake(mode: 'plain' | 'json') {
  const display = { mode, fail: vi.fn(), finish: vi.fn() }
  const log = vi.fn()
  const context = { display, shipit: { log }, fleet: { all: ['a', 'b'] } } as unknown as Context
  return { context, display, log }
}

test('an error is made without telling anybody', () => {
  const { context, display, log } = fake('plain')
  expect(fleetError([...failures, ...failures], 'nothing was changed', context)).toMatchObject({
    code: 'FLEET_FAILED',
    message: '1 of 2 servers failed: nothing was changed',
    cure: 'see the table above',
  })
  expect(fleetError(failures, 'x', fake('json').context).cure).toBe('see the events')
  expect([display.fail, display.finish, log].flatMap(({ mock }) => mock.calls)).toEqual([])
})

test('what is said of the others is true however many there are', () => {
  const { context } = fake('plain')
  const consequence = { one: 'is set up', several: 'are set up' }
  const message = (all: string[], failed: string[]) =>
    fleetError(
      failed.map((server) => ({ server, step: 'check', cause: 'x' })),
      consequence,
      { ...context, fleet: { all } } as unknown as Context,
    ).message
  expect(message(['a', 'b', 'c'], ['a'])).toBe('1 of 3 servers failed: the others are set up')
  expect(message(['a', 'b'], ['a', 'a'])).toBe('1 of 2 servers failed: the other is set up')
  expect(message(['a', 'b'], ['a', 'b'])).toBe('2 of 2 servers failed: none is set up')
})

test('failures are told once, then the display ends, and people get a table', () => {
  const { context, display, log } = fake('plain')
  tellFailures(context, failures)
  expect(display.fail).toHaveBeenCalledWith(failures[0])
  expect(display.finish).toHaveBeenCalledBefore(log)
  expect(log.mock.calls.join()).toContain('the disk is full')
  const said = fake('json')
  tellFailures(said.context, failures, { said: true })
  expect(said.display.fail).not.toHaveBeenCalled()
  expect(said.display.finish).toHaveBeenCalled()
  expect(said.log).not.toHaveBeenCalled()
})

test('where nothing failed nothing is said', () => {
  const { context, display, log } = fake('plain')
  assertNoFailures(context, [], 'nothing was changed')
  expect([display.finish, log].flatMap(({ mock }) => mock.calls)).toEqual([])
  expect(() => assertNoFailures(context, failures, 'nothing was changed')).toThrow('1 of 2 servers failed')
  expect(log).toHaveBeenCalled()
})
