import { expect, test } from 'vitest'
import { Framing } from '../../../../src/torrent/wire/framing.ts'

function collect(longest = 100) {
  const got: string[] = []
  const framing = new Framing({
    handshakeLength: 4,
    longest,
    onHandshake: (bytes) => got.push(`hello ${bytes.toString()}`),
    onMessage: (bytes) => got.push(bytes.toString()),
  })
  return { framing, got }
}

const message = (text: string) => {
  const bytes = Buffer.alloc(4 + text.length)
  bytes.writeUInt32BE(text.length)
  bytes.write(text, 4)
  return bytes
}
const stream = Buffer.concat([
  Buffer.from('wxyz'),
  message('one'),
  message(''),
  message('two two'),
  message('3'),
])

test.each([...Array(stream.length).keys()])(
  'messages are the same when the stream is cut after byte %i',
  (at) => {
    const { framing, got } = collect()
    framing.push(stream.subarray(0, at))
    framing.push(stream.subarray(at))
    expect(got).toEqual(['hello wxyz', 'one', 'two two', '3'])
  },
)

test('messages are the same byte by byte', () => {
  const { framing, got } = collect()
  for (const byte of stream) framing.push(Buffer.from([byte]))
  expect(got).toEqual(['hello wxyz', 'one', 'two two', '3'])
})

test('a message over the limit ends the stream, before anything is kept for it', () => {
  const { framing } = collect(10)
  framing.push(Buffer.from('wxyz'))
  const header = Buffer.alloc(4)
  header.writeUInt32BE(0xffff_ffff)
  expect(() => framing.push(header)).toThrow(RangeError)
})
