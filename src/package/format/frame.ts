import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import type { ByteStream } from './byte-stream.ts'
import { ByteWriter } from './bytes.ts'

const compress = promisify<Buffer, object, Buffer>(brotliCompress)
const expand = promisify<Buffer, object, Buffer>(brotliDecompress)

/** How the bytes of a frame are written. */
const EMPTY = 0
const STORED = 1
const BROTLI = 2

/**
 * Bytes in a row of frames: the method, the length, if compressed (RFC 7932) the compressed length, and then the bytes. They say how
 * long they are, because brotli itself does not, and Node ignores what follows a stream of it. `quality`: brotli's own.
 */
export async function packFrame(plain: Buffer, quality: number): Promise<Buffer> {
  if (plain.length === 0) return END_OF_FRAMES
  const packed = await compressed(plain, quality)
  if (packed.length >= plain.length) return storedFrame(plain)
  const frame = new ByteWriter()
  frame.byte(BROTLI)
  frame.uint(plain.length)
  frame.uint(packed.length)
  frame.bytes(packed)
  return frame.take()
}

/** A frame of bytes that do not compress. */
export function storedFrame(plain: Buffer): Buffer {
  const frame = new ByteWriter()
  frame.byte(STORED)
  frame.uint(plain.length)
  frame.bytes(plain)
  return frame.take()
}

/** An empty frame, where nothing else tells where the last one is. */
export const END_OF_FRAMES = Buffer.from([EMPTY])

const compressed = (plain: Buffer, quality: number): Promise<Buffer> =>
  compress(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: windowFor(plain.length),
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  })

/** The compressor's tables grow with its window. */
const windowFor = (length: number): number => Math.min(22, Math.max(16, Math.ceil(Math.log2(length + 16))))

/**
 * The bytes of the next frame, at most `mostBytes`: it is in memory whole, both plain and compressed. Throws the stream's error for an
 * impossible frame.
 */
export async function readFrame(stream: ByteStream, mostBytes: number): Promise<Buffer> {
  const method = await stream.byte()
  if (method === EMPTY) return Buffer.alloc(0)
  if (method !== STORED && method !== BROTLI) throw stream.broken('a frame of an unknown kind')
  const length = await stream.uint(mostBytes)
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
