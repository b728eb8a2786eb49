import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import { ByteStream } from './byte-stream.ts'
import { ByteWriter } from './bytes.ts'

const compress = promisify<Buffer, object, Buffer>(brotliCompress)
const expand = promisify<Buffer, object, Buffer>(brotliDecompress)

/** Smaller than gzip's level 4, in less time (NOTES.md). */
const QUALITY = 4
const WINDOW_BITS = 20

/**
 * Brotli streams (RFC 7932) in a row, each after its length, with an empty one at the end. They need that, because brotli itself
 * says nothing of where a stream ends, and Node ignores what follows one.
 */
export async function brotliFrame(plain: Buffer, quality = QUALITY): Promise<Buffer> {
  const packed = await compress(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  })
  const frame = new ByteWriter()
  frame.uint(packed.length)
  frame.bytes(packed)
  return frame.take()
}

/** Follows the last frame. */
export const END_OF_FRAMES = Buffer.from([0])

/** The plain bytes of untrusted frames, of which none may be longer than `mostBytes`, plain or compressed. */
export async function* expandFrames(
  parts: AsyncIterable<Buffer>,
  mostBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const stream = new ByteStream(parts, (why, cause) => new Error(why, { cause }))
  for (;;) {
    const length = await stream.uint(mostBytes)
    if (length === 0) return stream.end()
    yield await expand(await stream.bytes(length), { maxOutputLength: mostBytes })
  }
}
