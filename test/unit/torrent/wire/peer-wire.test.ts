import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import Wire from 'bittorrent-protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Coalescer } from '../../../../src/torrent/wire/coalescing.ts'
import { LARGEST_BLOCK_BYTES, PeerWire } from '../../../../src/torrent/wire/peer-wire.ts'

/** Our wire against that of WebTorrent, which all clients can talk to. */

const infoHash = '11'.repeat(20)
const ourId = '22'.repeat(20)
const theirId = '33'.repeat(20)

let server: Server
let socket: Socket
let ours: PeerWire
let theirs: Wire

beforeEach(async () => {
  server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  ours = new PeerWire(connect((server.address() as AddressInfo).port, '127.0.0.1'), {
    pieceCount: 1000,
    coalescer: new Coalescer(),
  })
  socket = (await accepted)[0]
  theirs = new Wire('tcpIncoming')
  socket.pipe(theirs as unknown as NodeJS.WritableStream)
  ;(theirs as unknown as NodeJS.ReadableStream).pipe(socket)
})
afterEach(() => {
  ours.destroy()
  socket.destroy()
  server.close()
})

async function shakeHands(): Promise<void> {
  ours.extendedMapping[7] = 'ours'
  ours.extendedHandshake = { v: 'us' }
  theirs.extendedMapping[8] = 'nobody knows it'
  theirs.extendedMapping[9] = 'ut_pex'
  const both = [once(ours, 'extended-handshake'), once(theirs, 'extended'), once(theirs, 'handshake')]
  ours.on('handshake', () => ours.haveNone())
  theirs.on('handshake', () => theirs.handshake(infoHash, theirId, { fast: true, dht: false }))
  ours.handshake(infoHash, ourId)
  await Promise.all(both)
}

describe('our wire and that of WebTorrent', () => {
  it('shake hands and tell of extensions', async () => {
    const told = once(ours, 'extended-handshake')
    await shakeHands()
    expect([ours.peerId, theirs.peerId]).toEqual([theirId, ourId])
    expect([ours.hasFast, theirs.hasFast]).toEqual([true, true])
    expect({ ...ours.peerExtendedMapping }).toEqual({ ut_pex: 9 })
    expect((await told)[0]).toMatchObject({ m: { 'nobody knows it': 8 } })
    expect(theirs.peerExtendedMapping).toEqual({ ours: 7 })
    expect(Buffer.from(theirs.peerExtendedHandshake.v as Uint8Array).toString()).toBe('us')
  })

  it('keep only the extensions that both know, however many are offered, again and again', async () => {
    await shakeHands()
    const last = new Promise<void>((resolve) => {
      ours.on('extended-handshake', ({ last }) => last && resolve())
    })
    for (let time = 0; time < 100; time++) {
      const unknown = Array.from({ length: 400 }, (_, index) => [`n${time}-${index}`, 1 + (index % 250)])
      const m = { ...Object.fromEntries(unknown), ut_pex: 10 }
      theirs.extended(0, { m, ...(time === 99 ? { last: 1 } : {}) })
    }
    await last
    expect({ ...ours.peerExtendedMapping }).toEqual({ ut_pex: 10 })
  })

  it.each<[string, (wire: PeerWire) => void, unknown[]]>([
    ['choke', (wire) => wire.choke(), []],
    ['unchoke', (wire) => wire.unchoke(), []],
    ['interested', (wire) => wire.interested(), []],
    ['have', (wire) => wire.have(517), [517]],
    ['have-all', (wire) => wire.haveAll(), []],
    ['have-none', (wire) => wire.haveNone(), []],
    ['cancel', (wire) => wire.cancel(1, 2, 3), [1, 2, 3]],
    ['reject', (wire) => wire.reject(4_000_000, 5, 6), [4_000_000, 5, 6]],
  ])('theirs understands our %s', async (name, say, values) => {
    await shakeHands()
    const heard = once(theirs, name)
    say(ours)
    expect(await heard).toEqual(values)
  })

  it.each<[string, (wire: Wire) => void, unknown[]]>([
    ['unchoke', (wire) => wire.unchoke(), []],
    ['have', (wire) => wire.have(517), [517]],
    ['have-all', (wire) => wire.haveAll(), []],
    ['have-none', (wire) => wire.haveNone(), []],
    ['cancel', (wire) => wire.cancel(1, 2, 3), [1, 2, 3]],
    ['reject', (wire) => wire.reject(4, 5, 6), [4, 5, 6]],
  ])('ours understands their %s', async (name, say, values) => {
    await shakeHands()
    const heard = once(ours, name)
    say(theirs)
    expect(await heard).toEqual(values)
  })

  it('agree on bitfields', async () => {
    await shakeHands()
    let [heardByUs, heardByThem] = ['', '']
    ours.on('bitfield', (bits: Uint8Array) => {
      heardByUs = Buffer.from(bits).toString('hex')
    })
    theirs.on('bitfield', (bits: { buffer: Uint8Array }) => {
      heardByThem = Buffer.from(bits.buffer).toString('hex')
    })
    ours.bitfield(new Uint8Array([0xa5, 1]))
    theirs.bitfield(new Uint8Array([0x5a, 2]))
    await Promise.all([once(ours, 'bitfield'), once(theirs, 'bitfield')])
    expect([heardByThem, heardByUs]).toEqual(['a501', '5a02'])
  })

  it.each([1, 16 * 1024, LARGEST_BLOCK_BYTES])('exchange blocks of %i bytes, both ways', async (length) => {
    await shakeHands()
    const block = Buffer.alloc(length, 'block')
    theirs.unchoke()
    await once(ours, 'unchoke')
    theirs.on('request', (_piece: number, _offset: number, _length: number, respond) => respond(null, block))
    ours.on('request', (piece: number, offset: number) => ours.sendBlock(piece, offset, block))
    ours.unchoke()
    await once(theirs, 'unchoke')
    const got = new Promise<[number, number, Buffer]>((resolve) => {
      ours.on('piece', (piece, offset, bytes) => resolve([piece, offset, Buffer.from(bytes)]))
    })
    ours.request(3, 16384, length)
    expect(await got).toEqual([3, 16384, block])
    const back = new Promise<Buffer>((resolve) => {
      theirs.request(4, 0, length, (_error, bytes) => resolve(Buffer.from(bytes ?? [])))
    })
    expect((await back).equals(block)).toBe(true)
  })
})

describe('bad input closes the connection', () => {
  it.each([
    ['another protocol', () => Buffer.alloc(68, 'GET / ')],
    [
      'a request that is too short',
      () => Buffer.concat([hello(), Buffer.from('00000005060000', 'hex'), Buffer.alloc(9)]),
    ],
    ['a message that is too long', () => Buffer.concat([hello(), Buffer.from('ffffffff07', 'hex')])],
  ])('%s', async (_what, bytes) => {
    const closed = once(ours.socket, 'close')
    socket.write(bytes())
    await closed
    expect(ours.socket.destroyed).toBe(true)
  })

  const hello = () =>
    Buffer.from(`\x13BitTorrent protocol${'\0'.repeat(8)}${'\x11'.repeat(20)}${'\x33'.repeat(20)}`, 'latin1')
})
