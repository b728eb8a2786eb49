import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Downloader } from '../../../../src/torrent/downloader.ts'
import type { Connection } from '../../../../src/torrent/peers/connection.ts'
import { RateMeter } from '../../../../src/torrent/peers/limits/rate-meter.ts'
import { PeerListener } from '../../../../src/torrent/peers/peer-listener.ts'
import { Sources } from '../../../../src/torrent/peers/sources.ts'
import { Flows } from '../../../../src/torrent/peers/subflows/flows.ts'
import { Scheduler } from '../../../../src/torrent/scheduler/scheduler.ts'
import type { SwarmContext } from '../../../../src/torrent/swarm-context.ts'
import type { Uploader } from '../../../../src/torrent/uploader.ts'
import type { PeerWire } from '../../../../src/torrent/wire/peer-wire.ts'

const PIECE = 32 * 1024

/** A participant that lacks all of 8 pieces and has one neighbour; `log` is what follows from the neighbour's messages. */
function neighbour({ here = [] as number[] } = {}) {
  const log: string[] = []
  const scheduler = new Scheduler({ length: 8 * PIECE, pieceLength: PIECE, random: () => 0 })
  for (const piece of here) scheduler.alreadyHave(piece)
  const meter = new RateMeter()
  const sources = new Sources()
  const context = { scheduler, meter, sources, nowS: () => 0 } as unknown as SwarmContext
  const downloader = {
    requestSoon: () => log.push('request'),
    arrived: (_: unknown, { piece, offset, length }: { piece: number; offset: number; length: number }) =>
      log.push(`arrived ${piece} ${offset} ${length}`),
    rejected: (_: unknown, { piece }: { piece: number }) => log.push(`rejected ${piece}`),
  } as unknown as Downloader
  const uploader = {
    peerHas: (_: unknown, pieces: Iterable<number>) => log.push(`has ${[...pieces]}`),
  } as unknown as Uploader
  const wire = Object.assign(new EventEmitter(), {
    hasFast: true,
    interested: () => log.push('interested'),
  })
  const flows = new Flows(wire as unknown as PeerWire)
  const address = '10.0.0.2:6881'
  const connection = { id: 1, wire, flows, receivedBytes: 0, largestBlock: PIECE, isSeeder: false, address }
  const listener = new PeerListener(context, downloader, uploader)
  listener.join(connection as unknown as Connection)
  return { log, listener, scheduler, meter, sources, wire, connection }
}

test('a piece that is missing here makes us interested, and is asked for', () => {
  const { log, listener, scheduler, wire } = neighbour()
  wire.emit('have', 3)
  expect(log).toEqual(['has 3', 'interested', 'request'])
  expect(listener.foundContent).toBe(true)
  expect(scheduler.peerHasPiece(1, 3)).toBe(true)
})

test('a piece that is here does not', () => {
  const { log, listener, wire } = neighbour({ here: [3] })
  wire.emit('have', 3)
  wire.emit('have-none')
  expect(log).toEqual(['has 3', 'has '])
  expect(listener.foundContent).toBe(false)
})

test('a bitfield and "have all" tell of several pieces', () => {
  const { log, scheduler, wire } = neighbour()
  wire.emit('bitfield', Buffer.from([0b1010_0000]))
  expect(log[0]).toBe('has 0,2')
  wire.emit('have-all')
  expect(scheduler.peerIsFull(1)).toBe(true)
})

test('only an unchoked peer is asked', () => {
  const { log, scheduler, wire } = neighbour()
  wire.emit('have-all')
  expect(scheduler.nextRequests(0)).toEqual([])
  wire.emit('unchoke')
  expect(log.at(-1)).toBe('request')
  expect(scheduler.nextRequests(0)).not.toEqual([])
  wire.emit('choke')
  expect(scheduler.nextRequests(0)).toEqual([])
})

test('blocks are counted and passed on, refusals too', () => {
  const { log, meter, sources, wire } = neighbour()
  wire.emit('piece', 2, 16, Buffer.alloc(10))
  expect(sources.top(8)).toEqual([['10.0.0.2:6881', 10]])
  wire.emit('reject', 4, 0, 10)
  expect(log).toEqual(['arrived 2 16 10', 'rejected 4'])
  expect(meter.read(0)).toMatchObject({ received: 10, fromSeeder: 0 })
})

test('what a peer says about itself later counts', () => {
  const { listener, meter, wire, connection } = neighbour()
  connection.isSeeder = true
  wire.emit('extended-handshake', {})
  wire.emit('piece', 2, 16, Buffer.alloc(10))
  expect(listener.foundContent).toBe(true)
  expect(meter.read(0).fromSeeder).toBe(10)
})
