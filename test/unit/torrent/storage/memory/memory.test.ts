import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { BlockCache } from '../../../../../src/torrent/storage/memory/block-cache.ts'
import { CountedMemory } from '../../../../../src/torrent/storage/memory/counted-memory.ts'
import { PieceBuffer } from '../../../../../src/torrent/storage/memory/piece-buffer.ts'
import { PiecePool } from '../../../../../src/torrent/storage/memory/piece-pool.ts'
import { Coalescer } from '../../../../../src/torrent/wire/coalescing.ts'
import { PeerWire } from '../../../../../src/torrent/wire/peer-wire.ts'

const LENGTH = 32 * 1024

test('a piece has the memory of an earlier one only when that has no users any more', () => {
  const memory = new PiecePool(LENGTH)
  const first = new PieceBuffer(LENGTH, memory)
  first.retain()
  first.release()
  expect(new PieceBuffer(LENGTH, memory).bytes).not.toBe(first.bytes)
  first.release()
  expect(new PieceBuffer(LENGTH, memory).bytes).toBe(first.bytes)
  expect(new PieceBuffer(LENGTH, memory).bytes).not.toBe(first.bytes)
})

test('of long pieces too, as many as were in use at a time are used again', () => {
  const length = 8 * 1024 * 1024
  const memory = new PiecePool(length)
  const inUse = Array.from({ length: 8 }, () => memory.take(length))
  for (const bytes of inUse) memory.giveBack(bytes)
  expect(inUse.map(() => memory.take(length)).every((bytes) => inUse.includes(bytes))).toBe(true)
})

test('the last, shorter piece has memory of its own length', () => {
  const memory = new PiecePool(LENGTH)
  new PieceBuffer(LENGTH, memory).release()
  expect(new PieceBuffer(100, memory).bytes).toHaveLength(100)
})

test('the cache keeps pieces up to its limit, and releases the oldest', async () => {
  const memory = new PiecePool(LENGTH)
  const cache = new BlockCache(async (_, into) => into.fill(0), {
    length: 4 * LENGTH,
    stride: LENGTH,
    limit: 2 * LENGTH,
  })
  const pieces = [1, 2, 3].map((value, index) => {
    const piece = new PieceBuffer(LENGTH, memory)
    piece.bytes.fill(value)
    cache.keep(index * LENGTH, piece)
    cache.written(index * LENGTH)
    piece.release()
    return piece
  })
  expect(new PieceBuffer(LENGTH, memory).bytes).toBe(pieces[0]?.bytes)
  expect(new PieceBuffer(LENGTH, memory).bytes).not.toBe(pieces[1]?.bytes)
  expect(cache.get(LENGTH, 0, 1)).toMatchObject({ bytes: Buffer.from([2]) })
  expect((await cache.get(0, 0, 1)).bytes).toEqual(Buffer.from([0]))
})

test('the cache serves pieces that wait for the disk, however many', () => {
  const memory = new PiecePool(LENGTH)
  const read = () => Promise.reject(new Error('it is not there yet'))
  const cache = new BlockCache(read, { length: 4 * LENGTH, stride: LENGTH, limit: LENGTH })
  for (const value of [1, 2, 3, 4]) {
    const piece = new PieceBuffer(LENGTH, memory)
    piece.bytes.fill(value)
    cache.keep((value - 1) * LENGTH, piece)
  }
  for (const value of [1, 2, 3, 4])
    expect(cache.get((value - 1) * LENGTH, 7, 1)).toMatchObject({ bytes: Buffer.from([value]) })
})

test('what is read from disk has the memory of something earlier only when no block of that is on its way', async () => {
  const cache = new BlockCache(async (at, into) => into.fill(1 + at / LENGTH), {
    length: 8 * LENGTH,
    stride: LENGTH,
    limit: LENGTH,
  })
  const onItsWay = [await cache.get(0, 0, 7), await cache.get(0, 7, 7)]
  const others = [1, 2, 3].map(async (stride) => {
    const { bytes, memory } = await cache.get(stride * LENGTH, 0, 1)
    expect(bytes).toEqual(Buffer.from([1 + stride]))
    memory?.release()
    return memory?.bytes
  })
  const [memory] = onItsWay.map(({ memory }) => memory?.bytes)
  expect(await Promise.all(others)).not.toContain(memory)
  expect(onItsWay.map(({ bytes }) => bytes)).toEqual([Buffer.alloc(7, 1), Buffer.alloc(7, 1)])
  for (const { memory } of onItsWay) memory?.release()
  const later = await Promise.all([4, 5, 6].map((stride) => cache.get(stride * LENGTH, 0, 1)))
  expect(later.map(({ memory }) => memory?.bytes)).toContain(memory)
})

test('what is longer than the limit is kept for those that wait for it', async () => {
  const cache = new BlockCache(async (at, into) => into.fill(1 + at / LENGTH), {
    length: 8 * LENGTH,
    stride: LENGTH,
    limit: LENGTH / 2,
  })
  const contents = await Promise.all([0, 1, 2].map((stride) => cache.get(stride * LENGTH, 0, 1)))
  expect(new Set(contents.map(({ memory }) => memory?.bytes)).size).toBe(3)
  const later = await Promise.all([3, 4, 5].map((stride) => cache.get(stride * LENGTH, 0, 1)))
  expect([...contents, ...later].map(({ bytes }) => bytes[0])).toEqual([1, 2, 3, 4, 5, 6])
})

test('a block over the border of two reads is made of both', async () => {
  const cache = new BlockCache(async (at, into) => into.fill(1 + at / LENGTH), {
    length: 2 * LENGTH,
    stride: LENGTH,
    limit: LENGTH,
  })
  expect((await cache.get(0, LENGTH - 2, 4)).bytes).toEqual(Buffer.from([1, 1, 2, 2]))
})

/** Two wires on one connection. The second one reads nothing until `far.resume()`. */
async function connected() {
  const server = createServer({ pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = await once(server, 'connection')
  onTestFinished(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  const wire = new PeerWire(near, { pieceCount: 400, coalescer: new Coalescer() })
  wire.handshake('11'.repeat(20), '22'.repeat(20))
  const reader = new PeerWire(far, { pieceCount: 400, coalescer: new Coalescer() })
  /** How many of the blocks come wrong, by their pieces. */
  const wrongOf = (blocks: Buffer[]) =>
    new Promise<number>((resolve) => {
      let wrong = 0
      let came = 0
      reader.on('piece', (piece: number, _: number, block: Buffer) => {
        if (!blocks[piece]?.equals(block)) wrong++
        if (++came === blocks.length) resolve(wrong)
      })
      far.resume()
    })
  return { wire, wrongOf }
}

test('a block may be overwritten as soon as it is said, however slowly the other side reads', async () => {
  const { wire, wrongOf } = await connected()
  const blocks = Array.from({ length: 200 }, (_, piece) => randomBytes(16 * 1024 * (1 + (piece % 8))))
  const room = Buffer.alloc(128 * 1024)
  for (const [piece, block] of blocks.entries()) {
    block.copy(room)
    wire.sendBlock(piece, 0, room.subarray(0, block.length))
    wire.have(piece)
    room.fill(0)
    if (piece % 10 === 0) await delay(1)
  }
  expect(wire.queuedBytes).toBeGreaterThan(1_000_000) // nobody has read yet
  expect(await wrongOf(blocks)).toBe(0)
})

test('a block of lent memory leaves as it was, however slowly the other side reads, and then the memory is free', async () => {
  const { wire, wrongOf } = await connected()
  const length = 128 * 1024
  const pool = new PiecePool(length)
  const lent = new Set<Buffer>()
  const blocks: Buffer[] = []
  for (let piece = 0; piece < 100; piece++) {
    const memory = new CountedMemory(length, pool)
    lent.add(memory.bytes)
    blocks.push(randomBytes(length))
    blocks[piece]?.copy(memory.bytes)
    wire.sendBlock(piece, 0, memory.bytes, memory)
    memory.release()
    if (piece % 10 === 0) await delay(1)
  }
  expect(wire.queuedBytes).toBeGreaterThan(1_000_000)
  expect(lent.size).toBeGreaterThan(1)
  expect(await wrongOf(blocks)).toBe(0)
  await vi.waitFor(() => expect(wire.queuedBytes).toBe(0))
  const free = Array.from(lent, () => pool.take(length))
  expect(new Set(free)).toEqual(lent)
})
