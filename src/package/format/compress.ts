import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { MurderError } from '../../errors.ts'
import type { Compression } from '../../protocol/order.ts'
import { brotliFrame, END_OF_FRAMES, expandFrames } from './brotli-frames.ts'

const gzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)
const deflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflateRaw)

/** Node has Zstandard since 22.15 and 23.8. The types of Node 20 do not have it. */
interface Zstd {
  createZstdDecompress(options: { chunkSize: number }): NodeJS.ReadWriteStream
  zstdCompress(data: Buffer, options: object, done: (error: Error | null, result: Buffer) => void): void
  constants: { ZSTD_c_compressionLevel: number }
}
const zstd = zlib as unknown as Zstd

/** Whether this Node can compress and expand `zstd`. */
export const zstdAvailable = (): boolean => typeof zstd.createZstdDecompress === 'function'

/** Plain bytes in a gzip member, or a frame of the others: enough to lose less than 1 % against one long stream. */
const MEMBER_BYTES = 1 << 20
/** As many as libuv's pool has threads, so that all are busy while the oldest member is awaited. */
const MEMBERS_IN_FLIGHT = 4
/** What random bytes grow by in brotli is far less. */
const MAX_FRAME_BYTES = MEMBER_BYTES + (64 << 10)
/** A member must fill whole chunks: Node drops what follows a zstd frame that leaves room in its last one (NOTES.md). */
const EXPANDED_CHUNK_BYTES = MEMBER_BYTES / 4

/**
 * Compresses in order, several members at a time on libuv's threads. Members in a row are a valid file of their format, and
 * the number of threads does not change the bytes. `level` is the format's own; the default is a fast one.
 */
export async function* compress(
  parts: AsyncIterable<Buffer>,
  compression: Compression,
  level?: number,
): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    yield* parts
    return
  }
  const member = { gzip: gzipMember, zstd: zstdFrame, brotli: brotliFrame }[compression]
  const running: Promise<Buffer>[] = []
  try {
    for await (const plain of inMembers(parts)) {
      const job = member(plain, level)
      // It is awaited later. Until then its failure must not count as unhandled.
      job.catch(() => undefined)
      running.push(job)
      if (running.length >= MEMBERS_IN_FLIGHT) yield await (running.shift() as Promise<Buffer>)
    }
    for (const job of running) yield await job
    if (compression === 'brotli') yield END_OF_FRAMES
  } finally {
    await Promise.allSettled(running)
  }
}

/** A buffer is reused after the next `MEMBERS_IN_FLIGHT` members have been requested. */
async function* inMembers(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const ring: Buffer[] = []
  let filled = 0
  for await (const part of parts) {
    for (let at = 0; at < part.length; ) {
      ring[0] ??= Buffer.allocUnsafeSlow(MEMBER_BYTES)
      const copied = part.copy(ring[0], filled, at)
      at += copied
      filled += copied
      if (filled < MEMBER_BYTES) continue
      yield ring[0]
      ring.push(ring.shift() as Buffer)
      if (ring.length <= MEMBERS_IN_FLIGHT) ring.unshift(Buffer.allocUnsafeSlow(MEMBER_BYTES))
      filled = 0
    }
  }
  if (filled > 0) yield (ring[0] as Buffer).subarray(0, filled)
}

/** Level 4 makes code 14 % smaller than level 1 in the same time (NOTES.md). */
async function gzipMember(plain: Buffer, level = 4): Promise<Buffer> {
  const member = await gzip(plain, { level: (await isDense(plain)) ? 0 : level })
  // The operating system (RFC 1952) is set to unknown, so that every machine makes the same bytes.
  member[9] = 255
  return member
}

/**
 * Whether deflate would gain nothing here, judged by a few samples. Deflate takes twenty times as long for images and archives as
 * for text, without gain, so these are stored as they are.
 */
async function isDense(plain: Buffer): Promise<boolean> {
  const step = Math.floor(plain.length / PROBES)
  if (step < PROBE_BYTES) return false
  const samples = Array.from({ length: PROBES }, (_, i) => plain.subarray(i * step, i * step + PROBE_BYTES))
  const probe = Buffer.concat(samples)
  return (await deflate(probe, { level: 1 })).length > 0.97 * probe.length
}

const PROBES = 8
const PROBE_BYTES = 4 << 10

function zstdFrame(plain: Buffer, level = 3): Promise<Buffer> {
  if (!zstdAvailable()) throw noZstd()
  const options = { params: { [zstd.constants.ZSTD_c_compressionLevel]: level } }
  return new Promise((resolve, reject) => {
    zstd.zstdCompress(plain, options, (error, frame) => (error ? reject(error) : resolve(frame)))
  })
}

type Expander = NodeJS.ReadWriteStream | ((packed: AsyncIterable<Buffer>) => AsyncIterable<Buffer>)

/** For a pipeline: what expands the output of `compress`; undefined when there is nothing to expand. */
export function expander(compression: Compression): Expander | undefined {
  if (compression === 'none') return undefined
  if (compression === 'brotli') return (packed) => expandFrames(packed, MAX_FRAME_BYTES)
  if (compression === 'gzip') return zlib.createGunzip({ chunkSize: EXPANDED_CHUNK_BYTES })
  if (!zstdAvailable()) throw noZstd()
  return zstd.createZstdDecompress({ chunkSize: EXPANDED_CHUNK_BYTES })
}

function noZstd(): MurderError {
  return new MurderError('NO_ZSTD', `this Node (${process.version}) has no zstd`, {
    cure: 'use Node 22.15 or newer, or set compression to gzip',
  })
}
