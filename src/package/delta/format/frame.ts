import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import type { ByteStream } from '../../format/byte-stream.ts'
import { ByteWriter } from '../../format/bytes.ts'

const compress = promisify<Buffer, object, Buffer>(brotliCompress)
const expand = promisify<Buffer, object, Buffer>(brotliDecompress)

/** How the bytes of a frame are written. */
const EMPTY = 0
const STORED = 1
const BROTLI = 2

/** Both ends hold one frame in memory, both plain and compressed. */
const MAX_FRAME_BYTES = 16 << 20

/** Up to this many bytes the best quality takes at most a few tenths of a second, for hashes. */
const MAX_BEST_BYTES = 32 << 10
const BEST_QUALITY = 11
const MAX_GOOD_BYTES = 2 << 20
const GOOD_QUALITY = 9
const FAST_QUALITY = 5

/** What travels to many servers is worth more time than what is kept where it was made. */
export type Effort = 'travels' | 'kept'

/** A frame is compressed by itself. It has the method, the length, if compressed the compressed length, and then the bytes. */
export async function packFrame(plain: Buffer, effort: Effort): Promise<Buffer> {
  const head = new ByteWriter()
  if (plain.length === 0) {
    head.byte(EMPTY)
    return head.take()
  }
  const packed = await compressed(plain, effort === 'kept' ? FAST_QUALITY : qualityFor(plain.length))
  head.byte(packed === plain ? STORED : BROTLI)
  head.uint(plain.length)
  if (packed !== plain) head.uint(packed.length)
  head.bytes(packed)
  return head.take()
}

/** `plain` itself when compression gains nothing. */
async function compressed(plain: Buffer, quality: number): Promise<Buffer> {
  const packed = await compress(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: windowFor(plain.length),
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  })
  return packed.length < plain.length ? packed : plain
}

/** The compressor's tables grow with its window. */
const windowFor = (length: number): number => Math.min(22, Math.max(16, Math.ceil(Math.log2(length + 16))))

const qualityFor = (length: number): number =>
  length <= MAX_BEST_BYTES ? BEST_QUALITY : length <= MAX_GOOD_BYTES ? GOOD_QUALITY : FAST_QUALITY

/** The bytes of the next frame. Throws the stream's error for an impossible frame. */
export async function readFrame(stream: ByteStream): Promise<Buffer> {
  const method = await stream.byte()
  if (method === EMPTY) return Buffer.alloc(0)
  if (method !== STORED && method !== BROTLI) throw stream.broken('a frame of an unknown kind')
  const length = await stream.uint(MAX_FRAME_BYTES)
  if (method === STORED) return Buffer.from(await stream.bytes(length))
  const packed = await stream.bytes(await stream.uint(length))
  const plain = await expanded(packed, length, stream)
  if (plain.length !== length) throw stream.broken('a frame of another length')
  return plain
}

async function expanded(packed: Buffer, length: number, stream: ByteStream): Promise<Buffer> {
  try {
    return await expand(packed, { maxOutputLength: Math.max(1, length) })
  } catch (cause) {
    throw stream.broken('a frame cannot be expanded', cause)
  }
}
