import { expect, test } from 'vitest'
import { whatIsSeeded } from '../../../../src/deploy/swarm/seeded.ts'
import type { Transfer } from '../../../../src/deploy/transfer/transfer.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const [one, two] = [{ label: 'one' }, { label: 'two' }] as unknown as [Server, Server]
const transfer = (tag: string, content?: Buffer) => ({ tag, content }) as unknown as Transfer
const whole = transfer('whole')
const [large, small] = [transfer('large'), transfer('small', Buffer.alloc(1))]

test('the swarm begins with what servers get; without any that needs it, it does not begin', () => {
  const of = (...deltas: [Server, Transfer][]) => whatIsSeeded([one, two], whole, new Map(deltas))
  expect(of()).toEqual({ isNeeded: true, seeded: [whole] })
  expect(of([one, large], [two, large])).toEqual({ isNeeded: true, seeded: [large, whole] })
  expect(of([one, small], [two, large])).toEqual({ isNeeded: true, seeded: [large, whole] })
  expect(of([one, small])).toEqual({ isNeeded: true, seeded: [whole] })
  expect(of([one, small], [two, small])).toEqual({ isNeeded: false, seeded: [whole] })
})
