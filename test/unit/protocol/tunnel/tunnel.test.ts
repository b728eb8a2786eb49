import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { encodeFrame, FRAMES, MAX_PAYLOAD_BYTES } from '../../../../src/protocol/tunnel/frame.ts'
import { type TargetName, Tunnel } from '../../../../src/protocol/tunnel/tunnel.ts'
import { WINDOW_BYTES } from '../../../../src/protocol/tunnel/tunnel-stream.ts'

/** A server's end and the deploy host's, whose bytes arrive in pieces of odd sizes. */
function tunnels(accept: (target: TargetName) => Duplex | undefined) {
  const later = (take: (chunk: Buffer) => void) => (frame: Buffer) => {
    setImmediate(() => {
      for (let at = 0; at < frame.length; at += 4999) take(frame.subarray(at, at + 4999))
    })
  }
  const server: Tunnel = new Tunnel({ send: later((chunk) => host.take(chunk)) })
  const host: Tunnel = new Tunnel({ send: later((chunk) => server.take(chunk)), accept })
  return { server, host }
}

/** One end of a connection: what is written here is read at the other. */
class End extends Duplex {
  other: End | undefined
  goOn = () => {}
  override _read() {
    this.other?.goOn()
  }
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void) {
    if (this.other?.push(chunk)) return done()
    this.goOn = () => {
      this.goOn = () => {}
      done()
    }
  }
  override _final(done: () => void) {
    this.other?.push(null)
    done()
  }
}

function pair(): [End, End] {
  const [one, other] = [new End(), new End()]
  one.other = other
  other.other = one
  return [one, other]
}

async function read(stream: Duplex): Promise<Buffer> {
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  await once(stream, 'end')
  return Buffer.concat(parts)
}

test('what is said at one end arrives at the other, whole, in both directions and several at a time', async () => {
  const [question, answer] = [randomBytes(3_000_000), randomBytes(2_000_000)]
  const asked: TargetName[] = []
  const { server } = tunnels((target) => {
    asked.push(target)
    const [connection, far] = pair()
    void read(far).then((said) => far.end(said.equals(question) ? answer : 'something else'))
    return connection
  })
  const ask = async (target: TargetName) => {
    const [connection, near] = pair()
    server.open(target, connection)
    near.end(question)
    return read(near)
  }
  const answers = await Promise.all([ask('tracker'), ask('seeder'), ask('seeder')])
  expect(answers.every((one) => one.equals(answer))).toBe(true)
  expect(asked).toEqual(['tracker', 'seeder', 'seeder'])
})

test('a reader that takes nothing gets no more than the window, and stops no other stream', async () => {
  const deaf = new Duplex({ highWaterMark: 1, read() {}, write() {} })
  const { server } = tunnels((target) => {
    if (target === 'tracker') return deaf
    const [connection, far] = pair()
    void read(far).then((said) => far.end(said))
    return connection
  })
  let sent = 0
  const endless = new Duplex({
    read() {
      sent += 100_000
      this.push(Buffer.alloc(100_000))
    },
    write: (_chunk, _encoding, done) => done(),
  })
  server.open('tracker', endless)
  const [connection, near] = pair()
  server.open('seeder', connection)
  near.end('still here')
  expect((await read(near)).toString()).toBe('still here')
  for (let round = 0; round < 200; round++) await turn()
  expect(sent).toBeLessThan(3 * WINDOW_BYTES)
})

test('a stream that is refused, or whose other end breaks, is closed', async () => {
  const [connection] = pair()
  const { server } = tunnels((target) => (target === 'seeder' ? connection : undefined))
  const refused = new PassThrough()
  server.open('tracker', refused)
  const broken = new PassThrough()
  server.open('seeder', broken)
  setTimeout(() => connection.destroy(), 20)
  await vi.waitFor(() => expect([refused.destroyed, broken.destroyed]).toEqual([true, true]))
})

const credit = (bytes: number) => {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(bytes)
  return payload
}

test('a stream to what has ended already is closed', async () => {
  const [connection] = pair()
  connection.destroy()
  const { server } = tunnels(() => connection)
  const stream = new PassThrough()
  server.open('seeder', stream)
  await vi.waitFor(() => expect(stream.destroyed).toBe(true))
})

test.each([
  ['a target that does not exist', [encodeFrame(FRAMES.open, 1, Buffer.of(2))]],
  ['an address', [encodeFrame(FRAMES.open, 1, Buffer.from('10.0.0.1:22'))]],
  ['a stream that is open', [1, 2].map(() => encodeFrame(FRAMES.open, 1, Buffer.of(0)))],
  ['a frame without end', [Buffer.from('020000000100ffffff', 'hex')]],
  ['an unknown frame', [Buffer.from('630000000100000000', 'hex')]],
  [
    'streams without end',
    Array.from({ length: 10_100 }, (_, stream) => encodeFrame(FRAMES.open, stream, Buffer.of(1))),
  ],
  [
    'more bytes than the window',
    [
      encodeFrame(FRAMES.open, 1, Buffer.of(0)),
      encodeFrame(FRAMES.credit, 1, credit(2 ** 31)),
      ...Array.from({ length: 40 }, () => encodeFrame(FRAMES.data, 1, Buffer.alloc(MAX_PAYLOAD_BYTES))),
    ],
  ],
])('a server that asks for %s ends the tunnel', (_, frames) => {
  const accept = () => new Duplex({ highWaterMark: 1, read() {}, write() {} })
  const host = new Tunnel({ send: () => {}, accept })
  const takeAll = () => {
    for (const frame of frames) host.take(frame)
  }
  expect(takeAll).toThrow('tunnel')
})

test('the deploy host opens no stream to a server', () => {
  const server = new Tunnel({ send: () => {} })
  expect(() => server.take(encodeFrame(FRAMES.open, 1, Buffer.of(0)))).toThrow('does not lead to')
})
