import { setImmediate as breath } from 'node:timers/promises'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { MurderError } from '../../errors.ts'
import type { Compression } from '../../protocol/order.ts'
import { ByteStream } from './byte-stream.ts'
import { END_OF_FRAMES, packFrame, readFrame, storedFrame } from './frame.ts'

const gzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)
const deflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflateRaw)

/** Node has Zstandard since 22.15 and 23.8. The types of Node 20 do not have it. */
interface Zstd {
  createZstdDecompress(options: { chunkSize: number; params: object }): NodeJS.ReadWriteStream
  zstdCompress(data: Buffer, options: object, done: (error: Error | null, result: Buffer) => void): void
  constants: { ZSTD_c_compressionLevel: number; ZSTD_c_windowLog: number; ZSTD_d_windowLogMax: number }
}
const zstd = zlib as unknown as Zstd

/** Whether this Node can compress and expand `zstd`. */
export const zstdAvailable = (): boolean => typeof zstd.createZstdDecompress === 'function'

interface Format {
  /** Plain bytes in a part that is compressed by itself. */
  memberBytes: number
  member: (plain: Buffer, level?: number) => Promise<Buffer>
  end?: Buffer
}

/** A frame looks back to its own start, and both ends have room for as much. */
const FRAME_WINDOW_BITS = 22
const FRAME_BYTES = 1 << FRAME_WINDOW_BITS

/** Four times as long a frame is a twentieth smaller (NOTES.md). Gzip looks back 32 KiB in any case. */
const FORMATS: Record<Exclude<Compression, 'none'>, Format> = {
  gzip: { memberBytes: 1 << 20, member: gzipMember },
  brotli: { memberBytes: FRAME_BYTES, member: brotliFrame, end: END_OF_FRAMES },
  zstd: { memberBytes: FRAME_BYTES, member: zstdFrame },
}

/** As many as libuv's pool has threads, so that all are busy while the oldest member is awaited. */
const MEMBERS_IN_FLIGHT = 4
/**
 * Expanded bytes until other work on this thread gets its turn. A member must fill whole chunks: Node drops what follows a zstd frame
 * that leaves room in its last one (NOTES.md).
 */
const EXPANDED_CHUNK_BYTES = 256 << 10

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
  const { memberBytes, member, end } = FORMATS[compression]
  const running: Promise<Buffer>[] = []
  try {
    for await (const plain of inMembers(parts, memberBytes)) {
      const job = member(plain, level)
      // It is awaited later. Until then its failure must not count as unhandled.
      job.catch(() => undefined)
      running.push(job)
      if (running.length >= MEMBERS_IN_FLIGHT) yield await (running.shift() as Promise<Buffer>)
    }
    for (const job of running) yield await job
    if (end) yield end
  } finally {
    await Promise.allSettled(running)
  }
}

/** A buffer is reused after the next `MEMBERS_IN_FLIGHT` members have been requested. */
async function* inMembers(parts: AsyncIterable<Buffer>, memberBytes: number): AsyncGenerator<Buffer> {
  const ring: Buffer[] = []
  let filled = 0
  for await (const part of parts) {
    for (let at = 0; at < part.length; ) {
      ring[0] ??= Buffer.allocUnsafeSlow(memberBytes)
      const copied = part.copy(ring[0], filled, at)
      at += copied
      filled += copied
      if (filled < memberBytes) continue
      yield ring[0]
      ring.push(ring.shift() as Buffer)
      if (ring.length <= MEMBERS_IN_FLIGHT) ring.unshift(Buffer.allocUnsafeSlow(memberBytes))
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

/** Quality 4 is smaller than gzip's level 4, in less time (NOTES.md). */
async function brotliFrame(plain: Buffer, quality = 4): Promise<Buffer> {
  return (await isDense(plain)) ? storedFrame(plain) : await packFrame(plain, quality)
}

/**
 * Whether compression would gain nothing here, judged by a few samples. Deflate takes twenty times as long for images and archives
 * as for text, without gain, and brotli twice, so these are stored as they are. Zstd passes over them by itself.
 */
async function isDense(plain: Buffer): Promise<boolean> {
  const probes = Math.max(MIN_PROBES, Math.floor(plain.length / PROBE_STRIDE_BYTES))
  const step = Math.floor(plain.length / probes)
  if (step < PROBE_BYTES) return false
  const samples = Array.from({ length: probes }, (_, i) => plain.subarray(i * step, i * step + PROBE_BYTES))
  const probe = Buffer.concat(samples)
  return (await deflate(probe, { level: 1 })).length > 0.97 * probe.length
}

const MIN_PROBES = 8
const PROBE_STRIDE_BYTES = 128 << 10
const PROBE_BYTES = 4 << 10

function zstdFrame(plain: Buffer, level = 3): Promise<Buffer> {
  if (!zstdAvailable()) throw noZstd()
  const { ZSTD_c_compressionLevel: levelOf, ZSTD_c_windowLog: windowOf } = zstd.constants
  const options = {
    params: { [levelOf]: level, [windowOf]: FRAME_WINDOW_BITS },
    pledgedSrcSize: plain.length,
  }
  return new Promise((resolve, reject) => {
    zstd.zstdCompress(plain, options, (error, frame) => (error ? reject(error) : resolve(frame)))
  })
}

type Expander = NodeJS.ReadWriteStream | ((packed: AsyncIterable<Buffer>) => AsyncIterable<Buffer>)

/** For a pipeline: what expands the output of `compress`; undefined when there is nothing to expand. */
export function expander(compression: Compression): Expander | undefined {
  if (compression === 'none') return undefined
  if (compression === 'brotli') return (packed) => expandFrames(packed)
  if (compression === 'gzip') return zlib.createGunzip({ chunkSize: EXPANDED_CHUNK_BYTES })
  if (!zstdAvailable()) throw noZstd()
  const params = { [zstd.constants.ZSTD_d_windowLogMax]: FRAME_WINDOW_BITS }
  return zstd.createZstdDecompress({ chunkSize: EXPANDED_CHUNK_BYTES, params })
}

/** The plain bytes of untrusted frames. */
async function* expandFrames(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const stream = new ByteStream(parts, (why, cause) => new Error(why, { cause }))
  for (;;) {
    const plain = await readFrame(stream, FRAME_BYTES)
    if (plain.length === 0) return stream.end()
    for (let at = 0; at < plain.length; at += EXPANDED_CHUNK_BYTES) {
      yield plain.subarray(at, at + EXPANDED_CHUNK_BYTES)
      await breath()
    }
  }
}

function noZstd(): MurderError {
  return new MurderError('NO_ZSTD', `this Node (${process.version}) has no zstd`, {
    cure: 'use Node 22.15 or newer, or set compression to gzip',
  })
}
