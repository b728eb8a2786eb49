import { expect, test } from 'vitest'
import { whatIsSeeded } from '../../../../src/deploy/swarm/seeded.ts'
import type { Transfer } from '../../../../src/deploy/transfer/transfer.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const [one, two] = [{ label: 'one' }, { label: 'two' }] as unknown as [Server, Server]
const transfer = (tag: string, content?: Buffer) => ({ tag, content }) as unknown as Transfer
const whole = transfer('whole')
const [large, small] = [transfer('large'), transfer('small', Buffer.alloc(1))]

test('what servers get is seeded, each once; small deltas and a package that nobody gets are not', () => {
  const of = (made: Transfer | undefined, ...deltas: [Server, Transfer][]) =>
    whatIsSeeded([one, two], made, new Map(deltas))
  expect(of(whole)).toEqual([whole])
  expect(of(whole, [two, large])).toEqual([whole, large])
  expect(of(whole, [one, small])).toEqual([whole])
  expect(of(whole, [one, large], [two, large])).toEqual([large])
  expect(of(undefined, [one, small], [two, large])).toEqual([large])
  expect(of(undefined, [one, small], [two, small])).toEqual([])
})
