import { expect, it } from 'vitest'
import { type Vitals, verdict } from '../../../../src/agent/workers/watchdog.ts'

const timeouts = { connect: 10, stall: 20, total: 60 }
const vitals: Vitals = {
  now: 0,
  started: 0,
  connecting: 0,
  progressed: 0,
  foundContent: false,
  received: 0,
  seederIsWrong: false,
  mayStillCome: false,
  complete: false,
}
const at = (seconds: number, changes: Partial<Vitals> = {}) =>
  verdict({ ...vitals, now: seconds * 1000, ...changes }, timeouts)

it('gives up on connecting to anybody', () => {
  expect(at(9.9)).toBeUndefined()
  expect(at(10)).toBe('connect')
})

it('counts the time to connect from when the content on disk has been checked', () => {
  expect(at(15, { connecting: 10_000 })).toBeUndefined()
})

it('is more patient while the tracker answers and no peer was named', () => {
  expect(at(19, { mayStillCome: true })).toBeUndefined()
  expect(at(20, { mayStillCome: true })).toBe('connect')
})

it('gives up when nothing comes any more', () => {
  const changes = { foundContent: true, progressed: 15_000 }
  expect(at(34, changes)).toBeUndefined()
  expect(at(35, changes)).toBe('stall')
})

it('gives up when it takes too long in all, however well it goes', () => {
  expect(at(60, { foundContent: true, progressed: 60_000 })).toBe('total')
})

it('gives up soon when the seeder has other content and nothing comes from others', () => {
  const changes = { foundContent: true, progressed: 15_000, received: 15_000, seederIsWrong: true }
  expect(at(19, changes)).toBeUndefined()
  expect(at(20, changes)).toBe('wrong')
  expect(at(20, { ...changes, received: 19_000 })).toBeUndefined()
})

it('leaves a complete peer alone', () => {
  expect(at(1000, { complete: true })).toBeUndefined()
})

it('has no limit where it is 0', () => {
  const none = { connect: 0, stall: 0, total: 0 }
  expect(verdict({ ...vitals, now: 1e9 }, none)).toBeUndefined()
})
