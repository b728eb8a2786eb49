import { once } from 'node:events'
import { copyFile, open, readFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Coalescer } from '../../src/torrent/wire/coalescing.ts'
import { PeerWire } from '../../src/torrent/wire/peer-wire.ts'
import { addressOf, Swarm } from '../support/harness/swarm-harness.ts'

const MIB = 1024 * 1024
let swarm: Swarm
const servers: Server[] = []
const sockets = new Set<Socket>()

afterEach(async () => {
  await swarm.end()
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

describe('a swarm of agents', () => {
  it('brings all content to all peers, most of it from each other', async () => {
    swarm = await Swarm.of(8 * MIB + 1234)
    const seeder = await swarm.seeder()
    const first = await swarm.peer('a', [seeder])
    const second = await swarm.peer('b', [seeder, first])
    const third = await swarm.peer('c', [seeder, first, second])
    await Promise.all([first, second, third].map(({ complete }) => complete))
    expect(await Promise.all(['a', 'b', 'c'].map((name) => swarm.isWhole(name)))).toEqual([true, true, true])
    expect(seeder.stats().sent).toBeLessThan(2.9 * swarm.metainfo.length)
    expect(first.stats().received).toBeLessThan(1.1 * swarm.metainfo.length)
  })

  it('brings a directory of files of all lengths', async () => {
    swarm = await Swarm.of({
      empty: 0,
      one: 1,
      'a/b/large': 3 * MIB + 7,
      'a/small': 99,
      'z/exact': 128 * 1024,
    })
    const seeder = await swarm.seeder()
    const peer = await swarm.peer('copy', [seeder])
    await peer.complete
    expect(await swarm.isWhole('copy')).toBe(true)
  })

  it('fetches only what is missing or wrong', async () => {
    swarm = await Swarm.of(4 * MIB)
    await copyFile(swarm.content, join(swarm.root, 'copy'))
    const file = await open(join(swarm.root, 'copy'), 'r+')
    await file.write(Buffer.alloc(10), 0, 10, 70_000)
    await file.truncate(4 * MIB - 10)
    await file.close()
    const seeder = await swarm.seeder()
    const peer = await swarm.peer('copy', [seeder])
    expect(peer.stats().bytes).toBe(4 * MIB - 2 * 64 * 1024)
    await peer.complete
    expect(await swarm.isWhole('copy')).toBe(true)
    expect(peer.stats().received).toBe(2 * 64 * 1024)
  })

  it('is done at once with nothing to fetch', async () => {
    swarm = await Swarm.of(0)
    const peer = await swarm.peer('copy', [])
    await peer.complete
    expect(await swarm.isWhole('copy')).toBe(true)
  })

  it('needs no tracker when it knows a peer', async () => {
    swarm = await Swarm.of(MIB)
    const trackers = ['http://127.0.0.1:1/announce']
    const seeder = await swarm.seeder({ trackers })
    const peer = await swarm.peer('copy', [seeder], { trackers })
    await peer.complete
    expect(await swarm.isWhole('copy')).toBe(true)
  })

  it('keeps one of two connections between the same two, the same one on both ends', async () => {
    swarm = await Swarm.of(2 * MIB)
    const first = await swarm.peer('a', [], { ports: [0, 0] })
    const second = await swarm.peer('b', [first])
    const seeder = await swarm.seeder({ peers: [addressOf(first), addressOf(second)], fleet: 1 })
    const third = await swarm.peer('c', [first, second, seeder])
    await Promise.all([first, second, third].map(({ complete }) => complete))
    for (const participant of [first, second, third, seeder])
      expect(participant.stats().peers).toBeLessThanOrEqual(3)
  })
})

/** A peer with everything that answers as `respond` says; returns its address. */
async function stranger(
  respond: (wire: PeerWire, piece: number, offset: number, length: number) => void,
  host = '127.0.0.2',
) {
  const server = createServer((socket) => {
    sockets.add(socket)
    const pieceCount = swarm.metainfo.pieces.length / 20
    const wire = new PeerWire(socket, { pieceCount, coalescer: new Coalescer() })
    wire.on('handshake', () => {
      wire.handshake(swarm.metainfo.infoHash, Buffer.alloc(20, `-XX${servers.length}`).toString('hex'))
      wire.haveAll()
      wire.unchoke()
    })
    wire.on('request', (piece: number, offset: number, length: number) =>
      respond(wire, piece, offset, length),
    )
  })
  servers.push(server)
  server.listen(0, host)
  await once(server, 'listening')
  return `${host}:${(server.address() as { port: number }).port}`
}

describe('bad company', () => {
  it('bans a peer that sends wrong bytes, and the content is still right', async () => {
    swarm = await Swarm.of(2 * MIB)
    let lies = 0
    const liar = await stranger((wire, piece, offset, length) => {
      lies++
      wire.sendBlock(piece, offset, Buffer.alloc(length, 7))
    })
    const seeder = await swarm.seeder({ uploadLimit: 4 * MIB, fleet: 1 })
    const peer = await swarm.peer('copy', [seeder], { peers: [addressOf(seeder), liar] })
    await peer.complete
    expect(await swarm.isWhole('copy')).toBe(true)
    expect(lies).toBeGreaterThan(0)
    expect(peer.stats().peers).toBe(1)
    expect(peer.stats().banned).toEqual([liar])
  })

  it('bans one of several on the same machine, and takes from the others', async () => {
    swarm = await Swarm.of(2 * MIB)
    const liar = await stranger((wire, piece, offset, length) => {
      wire.sendBlock(piece, offset, Buffer.alloc(length, 7))
    }, '127.0.0.1')
    const seeder = await swarm.seeder({ uploadLimit: 4 * MIB, fleet: 1 })
    const peer = await swarm.peer('copy', [seeder], { peers: [addressOf(seeder), liar] })
    await peer.complete
    expect(await swarm.isWhole('copy')).toBe(true)
    expect(peer.stats().banned).toEqual([liar])
  })

  it('gets the only piece right although one of several senders lies', async () => {
    swarm = await Swarm.of(MIB, { pieceLength: MIB })
    const liar = await stranger((wire, piece, offset, length) => {
      wire.sendBlock(piece, offset, Buffer.alloc(length, 7))
    })
    const seeders = await Promise.all([1, 2, 3, 4].map(() => swarm.seeder({ uploadLimit: MIB, fleet: 1 })))
    const peer = await swarm.peer('copy', [], { peers: [liar, ...seeders.map(addressOf)] })
    await peer.complete
    expect(await swarm.isWhole('copy')).toBe(true)
    expect(peer.stats().received).toBeLessThan(20 * MIB)
  })

  it('takes in a peer while a flood of connections says nothing', async () => {
    swarm = await Swarm.of(MIB)
    const seeder = await swarm.seeder({ secret: 'a secret of the swarm', fleet: 1 })
    const flood = setInterval(() => {
      for (let n = 0; n < 20; n++) {
        const socket = connect(seeder.port, '127.0.0.1')
        sockets.add(socket)
        socket.on('error', () => {})
      }
    }, 10)
    try {
      const peer = await swarm.peer('copy', [seeder], { secret: 'a secret of the swarm' })
      await peer.complete
    } finally {
      clearInterval(flood)
    }
    expect(await swarm.isWhole('copy')).toBe(true)
  })

  it('works around a peer that takes requests and never answers', async () => {
    swarm = await Swarm.of(2 * MIB)
    let asked = 0
    const silent = await stranger(() => asked++)
    const seeder = await swarm.seeder({ uploadLimit: 4 * MIB, fleet: 1 })
    const peer = await swarm.peer('copy', [seeder], { peers: [addressOf(seeder), silent] })
    await peer.complete
    expect(asked).toBeGreaterThan(0)
    expect(await swarm.isWhole('copy')).toBe(true)
  })

  it('outlives rubbish on its port', async () => {
    swarm = await Swarm.of(MIB)
    const seeder = await swarm.seeder()
    for (const rubbish of ['GET / HTTP/1.1\r\n\r\n', '\x13BitTorrent protocol', Buffer.alloc(2000, 255)]) {
      const socket = connect(seeder.port, '127.0.0.1')
      sockets.add(socket)
      socket.on('error', () => {})
      socket.write(rubbish)
    }
    const peer = await swarm.peer('copy', [seeder])
    await peer.complete
    expect((await readFile(join(swarm.root, 'copy'))).length).toBe(MIB)
  })
})
