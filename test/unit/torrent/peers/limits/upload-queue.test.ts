import { EventEmitter } from 'node:events'
import { setImmediate as nextIteration } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RateLimit } from '../../../../../src/torrent/peers/limits/rate-limit.ts'
import { type BlockSource, UploadQueue } from '../../../../../src/torrent/peers/limits/upload-queue.ts'
import type { Block } from '../../../../../src/torrent/scheduler/partial-piece.ts'
import type { PeerWire } from '../../../../../src/torrent/wire/peer-wire.ts'

/** A neighbour that asks for 10 bytes a block; `log` has what it gets, by piece. */
function queue({ isAgent = true, budget = Number.POSITIVE_INFINITY } = {}) {
  const log: string[] = []
  const wire = Object.assign(new EventEmitter(), {
    socket: new EventEmitter(),
    isAgent,
    queuedBytes: 0,
    sendBlock: (piece: number) => log.push(`block ${piece}`),
    reject: (piece: number) => log.push(`reject ${piece}`),
    destroy: () => log.push('closed'),
  })
  const state = { budget, sent: [] as [number, Block][] }
  const contents = new Map<number, Promise<Buffer>>()
  const source: BlockSource = {
    content: ({ piece, length }) =>
      piece === 99
        ? undefined
        : (contents.get(piece)?.then((bytes) => ({ bytes, memory: undefined })) ?? {
            bytes: Buffer.alloc(length),
            memory: undefined,
          }),
    budget: () => state.budget,
    spend: (_, bytes) => {
      state.budget -= bytes
    },
    sent: (id, block) => void state.sent.push([id, block]),
  }
  const limit = new RateLimit(0, 0)
  const uploads = new UploadQueue(7, wire as unknown as PeerWire, { source, limit, nowS: () => 0 })
  const ask = (piece: number, length = 10) => wire.emit('request', piece, 0, length)
  return { log, wire, state, contents, uploads, ask }
}

test('sends blocks in order and tells the source; content that is not here is rejected', () => {
  const { log, state, ask } = queue()
  for (const piece of [3, 99, 1]) ask(piece)
  expect(log).toEqual(['block 3', 'reject 99', 'block 1'])
  expect(state.sent.map(([id, { piece }]) => [id, piece])).toEqual([
    [7, 3],
    [7, 1],
  ])
})

test('waits for the limit and for the socket', () => {
  const { log, wire, state, uploads, ask } = queue({ budget: 15 })
  for (const piece of [1, 2, 3, 4]) ask(piece)
  expect(log).toEqual(['block 1', 'block 2'])
  state.budget = 10
  uploads.pump()
  expect(log).toEqual(['block 1', 'block 2', 'block 3'])
  state.budget = 10
  wire.queuedBytes = 1024 * 1024
  uploads.pump()
  expect(log).toHaveLength(3)
  wire.queuedBytes = 0
  wire.socket.emit('drain')
  expect(log).toHaveLength(4)
})

test('a block that is read from disk holds up those behind it, and an error of the disk closes the connection', async () => {
  const { log, contents, ask } = queue()
  let read: (content: Buffer) => void = () => {}
  contents.set(1, new Promise((resolve) => (read = resolve)))
  for (const piece of [1, 2]) ask(piece)
  expect(log).toEqual([])
  read(Buffer.alloc(10))
  await nextIteration()
  expect(log).toEqual(['block 1', 'block 2'])
  contents.set(3, Promise.reject(new Error('disk')))
  ask(3)
  await nextIteration()
  expect(log.at(-1)).toBe('closed')
})

test('a cancelled request is rejected to other clients, and forgotten for agents', () => {
  for (const isAgent of [true, false]) {
    const { log, wire, state, uploads, ask } = queue({ isAgent, budget: 0 })
    for (const piece of [1, 2]) ask(piece)
    wire.emit('cancel', 1, 0, 10)
    wire.emit('cancel', 5, 0, 10)
    state.budget = 100
    uploads.pump()
    expect(log).toEqual(isAgent ? ['block 2'] : ['reject 1', 'block 2'])
  }
})

test('a request of no length, or for too much, closes the connection; so do too many requests', () => {
  for (const length of [0, 128 * 1024 + 1]) {
    const { log, ask } = queue()
    ask(1, length)
    expect(log).toEqual(['closed'])
  }
  const { log, ask } = queue({ budget: 0 })
  for (let count = 0; count < 2048; count++) ask(1)
  expect(log).toEqual([])
  ask(1)
  expect(log).toEqual(['closed'])
})
