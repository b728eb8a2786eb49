import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import bencode from 'bencode'
import { expect, test } from 'vitest'
import { decodeManifest } from '../../../src/attributes/mtree/decode.ts'
import { ServerProfile } from '../../../src/deploy/last-server/server-profile.ts'
import { lastServer } from '../../../src/deploy/last-server/why-late.ts'
import { MurderError } from '../../../src/errors.ts'
import { parseEvent } from '../../../src/protocol/events.ts'
import { packPieces } from '../../../src/protocol/packed-pieces.ts'
import { command, quote, quotePath } from '../../../src/text/shell-quote.ts'
import { trackerPath } from '../../../src/torrent/access/secret.ts'
import { admit } from '../../../src/torrent/access/tracker-gate.ts'
import { encodeMetainfo, parseMetainfo } from '../../../src/torrent/metainfo/metainfo.ts'
import { parseAnswer } from '../../../src/torrent/tracker/announce.ts'
import { Coalescer } from '../../../src/torrent/wire/coalescing.ts'
import { encodeHandshake } from '../../../src/torrent/wire/messages.ts'
import { PeerWire } from '../../../src/torrent/wire/peer-wire.ts'
import { fuzz, mutate, noise, type Random } from '../../support/fuzz.ts'

/** Whatever comes, it is understood or refused in one line; nothing else is thrown, and nothing hangs. */
function refusedOrRead(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(MurderError)
    expect((error as Error).message).toMatch(/^[^\n]{1,600}$/)
    return false
  }
}

const torrents = [
  encodeMetainfo({
    name: 'a',
    pieceLength: 16384,
    pieces: Buffer.alloc(40, 1),
    content: 20_000,
    trackers: ['http://a/'],
  }),
  encodeMetainfo({
    ...{
      name: 'b',
      pieceLength: 16384,
      pieces: Buffer.alloc(20),
      trackers: ['http://a/', 'udp://b:1'],
      comment: 'c',
    },
    content: [
      { path: ['x', 'y'], length: 100 },
      { path: ['z'], length: 0 },
    ],
  }),
]

test('torrents', async () => {
  let read = 0
  await fuzz(3000, (next) => {
    const torrent = mutate(torrents[next(torrents.length)] as Buffer, next)
    if (refusedOrRead(() => parseMetainfo(torrent))) read++
  })
  expect(read).toBeGreaterThan(10)
})

test.each(['l', 'd1:a', 'd4:infol', '4:info', 'd4:infod5:filesl'])(
  'a torrent of %j a hundred thousand deep',
  (part) => {
    expect(refusedOrRead(() => parseMetainfo(Buffer.from(part.repeat(100_000))))).toBe(false)
  },
)

test('answers of trackers', async () => {
  const compact = { interval: 60, peers: Buffer.from('0123456789ab'), peers6: Buffer.alloc(36, 7) }
  const long = {
    interval: 60,
    peers: [{ ip: Buffer.from('10.0.0.1'), port: 6881, 'peer id': Buffer.alloc(20) }],
  }
  const answers = [compact, long, { 'failure reason': 'no' }].map((answer) => bencode.encode(answer))
  await fuzz(3000, (next) => {
    const answer = mutate(answers[next(answers.length)] as Buffer, next)
    try {
      const { interval, peers } = parseAnswer(answer)
      expect(interval).toBeGreaterThanOrEqual(1)
      for (const peer of peers) expect(peer).toMatch(/^\S+:\d{1,5}$/)
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
      expect(error).not.toBeInstanceOf(TypeError)
    }
  })
})

test('requests to a tracker', async () => {
  const secret = 'a secret of this test'
  const path = `/${trackerPath(secret)}/announce?info_hash=${'%ab'.repeat(20)}&port=1`
  const permits = [{ secret, infoHash: 'ab'.repeat(20), addresses: ['10.0.0.0/8', 'fe80::/10'] }]
  await fuzz(3000, (next) => {
    const url = next(10) ? mutate(Buffer.from(path), next).toString('latin1') : path
    const from = next(3) ? '10.0.0.1' : mutate(Buffer.from('fe80::1%eth0'), next).toString('latin1')
    const admission = admit(permits, url, from)
    if (admission.url !== undefined) expect(url).toContain(trackerPath(secret))
  })
})

test('manifests of attributes', async () => {
  const manifest = `#mtree
/set type=file uid=0 gid=0 mode=0644
. type=dir mode=0755 time=1700000000.5
./a size=3 sha256digest=${'ab'.repeat(32)} time=1.000000001
./b type=link link=a
#xattr user.x YWJj
./c type=dir
./c/d\\040e size=3 sha256digest=${'ab'.repeat(32)}
#hardlink ./a
`
  await fuzz(3000, (next) => void refusedOrRead(() => decodeManifest(mutate(Buffer.from(manifest), next))))
})

test('events of a server', async () => {
  const line = '{"event":"progress","bytes":1,"total":2,"down":3,"up":4,"peers":5}'
  await fuzz(3000, (next) => {
    const event = parseEvent(mutate(Buffer.from(line), next).toString())
    if (event !== undefined) expect(typeof event.event).toBe('string')
  })
  expect(parseEvent(`{"event":${'['.repeat(200_000)}`)).toBeUndefined()
})

test('values that reach a shell', async () => {
  const alphabet = [...'ab $`\\"\'\n\t;&|<>(){}*?!#~=-%é\u{1f680}\r']
  const words: string[] = []
  await fuzz(500, (next) => {
    words.push(Array.from({ length: next(12) }, () => alphabet[next(alphabet.length)]).join(''))
  })
  const some = words.slice(-2000)
  const paths = some.filter((word) => word !== '' && !word.startsWith('~'))
  const print = (script: string) =>
    spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { HOME: '/home' } }).stdout
  expect(print(command('printf', '%s\\0', ...some)).split('\0')).toEqual([...some, ''])
  const printed = print(`printf '%s\\0' ${paths.map(quotePath).join(' ')}`).split('\0')
  expect(printed).toEqual([...paths.map((path) => (/^(\.?)\//.test(path) ? path : `./${path}`)), ''])
  expect(() => quote('a\0b')).toThrow(MurderError)
})

/** Messages of any kind, some of them well formed. */
function stream(next: Random): Buffer {
  const handshake = encodeHandshake('11'.repeat(20), '22'.repeat(20))
  const extended = Buffer.concat([Buffer.from([20, 0]), bencode.encode({ m: { murder: 1, x: 2 }, p: 6881 })])
  const parts = [next(10) ? Buffer.from(handshake) : mutate(handshake, next)]
  for (let count = next(8); count > 0; count--) {
    const body = next(4)
      ? Buffer.concat([Buffer.from([next(22)]), noise(next(20), next)])
      : mutate(extended, next)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(next(20) ? body.length : next(2 ** 32))
    parts.push(length, body)
  }
  return Buffer.concat(parts)
}

test('what other programs say on the wire', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await fuzz(150, async (next) => {
      const theirs = connect((server.address() as AddressInfo).port, '127.0.0.1')
      theirs.on('error', () => {})
      const [socket] = await once(server, 'connection')
      const wire = new PeerWire(socket, { pieceCount: 100, coalescer: new Coalescer() })
      if (next(2)) wire.lock()
      wire.on('handshake', () => wire.handshake('11'.repeat(20), '33'.repeat(20)))
      const closed = once(socket, 'close')
      theirs.resume().end(stream(next))
      await closed
    })
  } finally {
    server.close()
  }
})

const storyFrame = { beganS: 1, endedS: 3, every: 1, pieceCount: 4 }
const profile = {
  ...{
    event: 'profile',
    at: 3,
    began: 1,
    ended: 3,
    cpu: 1,
    queued: 0,
    disk: 0,
    stopped: 0,
    peakDown: 9,
    peakUp: 9,
  },
  ...{ afterGap: 0, sentAgain: 0, arrived: 0, last: [3, 'seeder', 3], pieceCount: 4, every: 1 },
  pieces: packPieces([{ piece: 1, source: 'seeder', atS: 2 }], storyFrame),
}

test('what a server says of its transfer', async () => {
  let read = 0
  await fuzz(3000, (next) => {
    let now = 0
    const servers = ['a', 'b', 'c'].map((name) => {
      const told = new ServerProfile(name, () => now)
      told.ordered()
      const text = mutate(Buffer.from(JSON.stringify(profile)), next).toString()
      const events = ['listening', text, 'downloaded', 'done', 'spent', 'unpacked'].map((event) =>
        parseEvent(
          event === text ? text : JSON.stringify({ event, at: next(9), cpu: next(9), queued: next(9) }),
        ),
      )
      for (const event of events) {
        now += next(3)
        if (event) told.heard(event)
      }
      return told.facts((source) => source)
    })
    const facts = servers.flatMap((each) => each ?? [])
    for (const { pieces } of facts) read += pieces.length
    const last = lastServer(facts)
    if (last) expect(last.text).not.toMatch(/NaN|Infinity|undefined/)
  })
  expect(read).toBeGreaterThan(0)
})
