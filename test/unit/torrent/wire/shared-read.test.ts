import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Coalescer } from '../../../../src/torrent/wire/coalescing.ts'
import { PeerWire } from '../../../../src/torrent/wire/peer-wire.ts'
import { readShared, sharedRead } from '../../../../src/torrent/wire/shared-read.ts'

const infoHash = '11'.repeat(20)
const peerId = '22'.repeat(20)

let server: Server
let near: Socket
let far: Socket

beforeEach(async () => {
  server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  far = (await accepted)[0]
})
afterEach(() => {
  near.destroy()
  far.destroy()
  server.close()
})

const wireOn = (socket: Socket) => new PeerWire(socket, { pieceCount: 8, coalescer: new Coalescer() })

it('reads without the events of the stream', async () => {
  const wire = wireOn(near)
  let emitted = 0
  near.on('data', () => emitted++)
  const shaken = once(wire, 'handshake')
  wireOn(far).handshake(infoHash, peerId)
  expect((await shaken).slice(0, 2)).toEqual([infoHash, peerId])
  expect(emitted).toBe(0)
})

it('reads the stream’s events, in case Node stops calling push', async () => {
  const wire = wireOn(near)
  const shaken = once(wire, 'handshake')
  const handshake = `\x13BitTorrent protocol${'\0'.repeat(8)}${'\x11'.repeat(20)}${'\x22'.repeat(20)}`
  near.emit('data', Buffer.from(handshake, 'latin1'))
  expect((await shaken).slice(0, 2)).toEqual([infoHash, peerId])
})

it('keeps no view of memory that the next read overwrites', async () => {
  near.destroy()
  const accepted = once(server, 'connection')
  let wire: PeerWire | undefined
  const { port } = server.address() as AddressInfo
  const seen: Buffer[] = []
  let name: unknown
  const onread = sharedRead((bytes) => {
    wire?.take(bytes)
    seen.push(bytes)
  })
  const socket = connect({ port, host: '127.0.0.1', onread })
  near = socket
  socket.once('connect', () => {
    wire = wireOn(socket)
    wire.on('extended-handshake', (content) => {
      name = content.v
    })
    wire.handshake(infoHash, peerId)
  })
  const other = wireOn((await accepted)[0] as Socket)
  await once(other, 'handshake')
  other.extendedHandshake = { v: 'name' }
  other.handshake(infoHash, peerId)
  other.unchoke()
  await once(wire as PeerWire, 'unchoke')
  for (const bytes of seen) bytes.fill(0)
  expect(name).toEqual(new Uint8Array(Buffer.from('name')))
  other.destroy()
})

it('notices the end of the stream', async () => {
  wireOn(near)
  const closed = once(near, 'close')
  far.end()
  await closed
  expect(near.destroyed).toBe(true)
})

it('reads into shared memory on sockets that a server accepted', async () => {
  const listener = createServer({ pauseOnConnect: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepted = once(listener, 'connection')
  const caller = wireOn(connect((listener.address() as AddressInfo).port, '127.0.0.1'))
  caller.handshake(infoHash, peerId)
  const seen = new Set<ArrayBufferLike>()
  const socket = readShared((await accepted)[0], (bytes) => {
    seen.add(bytes.buffer)
    wire.take(bytes)
  })
  const wire = wireOn(socket)
  expect((await once(wire, 'handshake')).slice(0, 2)).toEqual([infoHash, peerId])
  wire.handshake(infoHash, peerId)
  await once(caller, 'handshake')
  for (const piece of [1, 2]) caller.have(piece)
  await once(wire, 'have')
  expect(seen.size).toBe(1)
  const closed = once(caller.socket, 'close')
  socket.destroy()
  await closed
  listener.close()
})
