import { expect, it } from 'vitest'
import type { ReceiveOrder } from '../../../src/protocol/order.ts'
import { jsonOfLine, orderLine } from '../../../src/protocol/order-line.ts'
import { parseOrder } from '../../../src/protocol/parse-order.ts'

const order: ReceiveOrder = {
  tag: '20260102030405',
  sha256: 'ab'.repeat(32),
  directory: '/srv/app/shared/murder/tmp/20260102030405',
  trackers: ['http://192.0.2.1:8998/{secret}/announce'],
  peers: ['192.0.2.1:6881'],
  ports: [6881, 6999],
  fleet: 12,
  linger: 30,
  uploadLimit: 0,
  downloadLimit: 0,
  timeouts: { connect: 0, stall: 60, total: 0 },
  torrent: 'aGVsbG8=',
  unpack: { into: '/srv/app/releases/20260102030405', compression: 'none' },
}

it('an order is one line, shorter than its JSON, that an agent reads', () => {
  const line = orderLine(order)
  expect(line).toMatch(/^[^{\n]+\n$/)
  expect(line.length).toBeLessThan(JSON.stringify(order).length / 2)
  expect(parseOrder(line.trim())).toEqual(order)
})

it('JSON stays what it is', () => {
  expect(jsonOfLine('{"tag":1}')).toBe('{"tag":1}')
})

it('anything else is refused', () => {
  for (const line of ['', 'hello', 'end', orderLine(order).slice(0, 40)])
    expect(() => jsonOfLine(line)).toThrow()
})
