import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { translateStream, translateText } from '../../../examples/fleet/own-path.ts'

const path = { shared: '/f/server-N', own: '/f/server-3' }

async function translated(chunks: Buffer[]): Promise<Buffer> {
  return buffer(Readable.from(chunks).pipe(translateStream(path)))
}

test('a command', () => {
  expect(translateText("cd '/f/server-N/a' && ls /f/server-N", path)).toBe(
    "cd '/f/server-3/a' && ls /f/server-3",
  )
})

test('a stream, wherever it is split', async () => {
  const text = Buffer.from('/f/server-/f/server-N/f/f/server-N and /f/server-M /f/serv')
  const expected = Buffer.from('/f/server-/f/server-3/f/f/server-3 and /f/server-M /f/serv')
  for (let at = 0; at <= text.length; at++) {
    expect(await translated([text.subarray(0, at), text.subarray(at)])).toEqual(expected)
  }
  expect(await translated([...text].map((byte) => Buffer.from([byte])))).toEqual(expected)
})

test('bytes that are no text pass as they are', async () => {
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256))
  expect(await translated([bytes, bytes])).toEqual(Buffer.concat([bytes, bytes]))
})

test('what cannot be the path is not held back', async () => {
  const stream = translateStream(path)
  stream.write('a line\n')
  expect(String(stream.read())).toBe('a line\n')
})
