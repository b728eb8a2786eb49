import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Swarm } from '../support/harness/swarm-harness.ts'
import { RawWire } from '../support/raw-wire.ts'

const BLOCK = 16 * 1024
const PIECE = 7
const CANCEL = 8
const REJECT = 16
const EXTENDED = 20

let swarm: Swarm
let wire: RawWire

beforeEach(async () => {
  swarm = await Swarm.of(1024 * 1024)
  // Slow enough that requests wait.
  const seeder = await swarm.seeder({ fleet: 1, uploadLimit: 4 * BLOCK })
  wire = await RawWire.dial(seeder.port, { infoHash: swarm.metainfo.infoHash })
  wire.sendHandshake()
  await wire.next(EXTENDED)
})

afterEach(async () => {
  wire.close()
  await swarm.end()
})

function bodyOf(...numbers: number[]): Buffer {
  const body = Buffer.alloc(4 * numbers.length)
  for (const [at, number] of numbers.entries()) body.writeUInt32BE(number, 4 * at)
  return body
}

describe('requests of a client that knows BEP 6', () => {
  it('one that is taken back is rejected, and the others are answered', async () => {
    wire.request(0, 0, BLOCK)
    wire.request(0, BLOCK, BLOCK)
    wire.request(1, 0, BLOCK)
    wire.send(CANCEL, bodyOf(0, BLOCK, BLOCK))
    expect(await wire.next(REJECT)).toEqual(bodyOf(0, BLOCK, BLOCK))
    const answered = [await wire.next(PIECE), await wire.next(PIECE)]
    expect(answered.map((body) => body.subarray(0, 8))).toEqual([bodyOf(0, 0), bodyOf(1, 0)])
  })

  it('a request for content that is not there is rejected', async () => {
    wire.request(99, 0, BLOCK)
    expect(await wire.next(REJECT)).toEqual(bodyOf(99, 0, BLOCK))
  })
})
