import { expect, test } from 'vitest'
import { passesLoopback } from '../../../../src/torrent/wire/loopback.ts'

test('a machine without such a firewall answers itself', async () => {
  expect(await passesLoopback()).toBe(true)
})
