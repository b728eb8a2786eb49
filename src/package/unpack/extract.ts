import { createHash, type Hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { MurderError, reason } from '../../errors.ts'
import type { Entry } from '../../files/entry.ts'
import { cureOf, stopIfAborted } from '../../files/file-errors.ts'
import { ContentHash } from '../../files/hash.ts'
import type { Compression } from '../../protocol/order.ts'
import { entryFromHeader } from '../format/archive-entry.ts'
import { decrypt } from '../format/cipher.ts'
import { expander } from '../format/compress.ts'
import { TarReader, type TarVisitor } from '../format/tar-reader.ts'
import type { Destination } from './destination.ts'

export interface ExtractOptions {
  file: string
  compression: Compression
  /** The key that it is encrypted with. */
  key?: string
  sha256?: string
  signal?: AbortSignal
  /**
   * For a file that is still arriving: resolves with the number of bytes from its start, once that is more than `position`. If
   * not given, the file is complete.
   */
  beyond?: (position: number) => Promise<number>
  /** Gets each entry after it is made; for a file also the SHA-256 of its content, hex. */
  onMade?: (entry: Entry, sha256?: string) => void
}

/** Bytes to unpack before other work on this thread gets its turn: a few milliseconds. */
const CHUNK_BYTES = 256 << 10

/**
 * Reads the package once: hashes it, expands it and makes its entries in `destination`. Only when this returns are the entries
 * known to be right. Throws what `unpack` throws.
 */
export async function extractInto(
  destination: Destination,
  options: ExtractOptions,
): Promise<{ files: number; bytes: number }> {
  const { file, compression, key, sha256, signal } = options
  const digest = createHash('sha256')
  const count = { files: 0, bytes: 0 }
  const reader = new TarReader(makeEntries(destination, count, options.onMade))
  const take = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) reader.write(chunk)
  }
  const expand = expander(compression)
  try {
    const packed = readArriving(options, digest)
    const chunks = key === undefined ? packed : decrypt(packed, key)
    if (expand) await pipeline(chunks, expand, take as never, signal ? { signal } : {})
    else await take(chunks)
    reader.end()
  } catch (cause) {
    stopIfAborted(signal)
    throw brokenPackage(file, cause)
  }
  if (sha256 !== undefined && digest.digest('hex') !== sha256.toLowerCase()) throw wrongPackage(file)
  return count
}

/** The file's bytes in order, each chunk valid until the next. Adds them to `digest`. */
export async function* readArriving(
  { file, compression, signal, beyond }: ExtractOptions,
  digest: Hash,
): AsyncGenerator<Buffer> {
  let here = await beyond?.(0)
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    here ??= size
    // The expander may still use a chunk while the next ones are read.
    const shared = compression === 'none' ? Buffer.allocUnsafeSlow(CHUNK_BYTES) : undefined
    for (let at = 0; at < size; ) {
      stopIfAborted(signal)
      if (beyond && at >= here) here = await beyond(at)
      const length = Math.min(CHUNK_BYTES, here - at)
      const { bytesRead, buffer } = await handle.read(shared ?? Buffer.allocUnsafe(length), 0, length, at)
      if (bytesRead === 0) throw new Error('it became shorter')
      const chunk = buffer.subarray(0, bytesRead)
      digest.update(chunk)
      at += bytesRead
      yield chunk
    }
  } finally {
    await handle.close()
  }
}

/** Makes the entries that are read, and counts them. */
function makeEntries(
  destination: Destination,
  count: { files: number; bytes: number },
  onMade: ExtractOptions['onMade'],
): TarVisitor {
  let file: { entry: Entry; hash: ContentHash | undefined } | undefined
  return {
    entry(header) {
      const entry = entryFromHeader(header)
      if (entry.type === 'directory') destination.directory(entry)
      if (entry.type === 'symlink') destination.symlink(entry)
      if (entry.type !== 'file') return onMade?.(entry)
      destination.startFile(entry)
      file = { entry, hash: onMade && new ContentHash(entry.size) }
      count.files++
      count.bytes += entry.size
    },
    content(chunk) {
      destination.write(chunk)
      file?.hash?.update(chunk)
    },
    endContent() {
      destination.endFile()
      if (file?.hash) onMade?.(file.entry, file.hash.digest())
    },
  }
}

export const wrongPackage = (file: string): MurderError =>
  new MurderError('PACKAGE_WRONG', `${file} is not the package that was sent: its SHA-256 differs`, {
    cure: 'deploy again; if it happens twice, check the disk and memory of this server',
  })

function brokenPackage(file: string, cause: unknown): MurderError {
  if (cause instanceof MurderError) return cause
  if (cause instanceof Error && 'syscall' in cause)
    return new MurderError('PACKAGE_MISSING', `cannot read the package ${file}: ${reason(cause)}`, {
      cure: cureOf(cause, 'deploy again'),
      cause,
    })
  return new MurderError('PACKAGE_DAMAGED', `the package ${file} is damaged: ${reason(cause)}`, {
    cure: 'deploy again; check that both ends use the same compression',
    cause,
  })
}
