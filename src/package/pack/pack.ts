import { closeSync, openSync, rmSync } from 'node:fs'
import { setImmediate as breath } from 'node:timers/promises'
import { MurderError } from '../../errors.ts'
import type { Entry } from '../../files/entry.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import type { Compression } from '../../protocol/order.ts'
import { encrypt } from '../format/cipher.ts'
import { compress } from '../format/compress.ts'
import { packedLength } from '../format/header.ts'
import { tar } from '../format/tar.ts'
import { contentReader } from './content.ts'
import { packageOrder } from './package-order.ts'
import { PieceSink, type Written } from './piece-sink.ts'

export interface PackOptions {
  root: string
  /** The result of `scan(root)`. */
  entries: Entry[]
  /** The package. It is made anew with mode 0600, in place of an older file. */
  output: string
  compression: Compression
  /** Encrypts the compressed package (`newKey`). */
  key?: string
  /** The compression's own level. Unless given, it is a fast one. */
  level?: number
  /** Bytes in a piece; by default chosen from the estimated length of the package. */
  pieceLength: number | ((estimatedBytes: number) => number)
  /** Reads the files; `contentReader` unless given. */
  contentOf?: ReturnType<typeof contentReader>
  /** Compressed over uncompressed, as `estimateCompression` gives it, for `pieceLength`'s estimate. */
  ratio?: number
  signal?: AbortSignal
  /** Gets the bytes of the uncompressed package so far, and in total; called now and then, and at the end. */
  onProgress?: (done: number, total: number) => void
}

export interface Package extends Written {
  path: string
  pieceLength: number
  entries: Entry[]
}

/** Longest time until timers, signals and the display get their turn. */
const TURN_MS = 10

/**
 * Makes the package: a deterministic tar, compressed or not, written and hashed in one pass.
 * Throws FILE_CHANGED, FILE_UNREADABLE, DISK_FULL, NOT_WRITABLE, NO_ZSTD, BAD_PIECE_LENGTH or INTERRUPTED, and then
 * leaves no output behind.
 */
export async function pack(options: PackOptions): Promise<Package> {
  const { output, entries, compression } = options
  stopIfAborted(options.signal)
  const total = packedLength(entries)
  const pieceLength = pieceLengthFor(options, total)
  const fd = create(output)
  const sink = new PieceSink(fd, pieceLength)
  let written: Written
  try {
    const packed = compress(plainParts(options, total), compression, options.level)
    for await (const chunk of options.key === undefined ? packed : encrypt(packed, options.key)) {
      const full = sink.write(chunk)
      if (full) await storing(full, output)
    }
    written = await storing(sink.end(), output)
  } catch (cause) {
    await sink.idle()
    closeSync(fd)
    rmSync(output, { force: true })
    throw cause
  }
  closeSync(fd)
  options.onProgress?.(total, total)
  return { path: output, ...written, pieceLength, entries }
}

/** The uncompressed package. Now and then it checks the signal and yields to other work on this thread. */
async function* plainParts(options: PackOptions, total: number): AsyncGenerator<Buffer> {
  let done = 0
  let last = performance.now()
  const entries = packageOrder(options.entries)
  for await (const part of tar(entries, options.contentOf ?? contentReader(options.root))) {
    stopIfAborted(options.signal)
    yield part
    done += part.length
    if (performance.now() - last < TURN_MS) continue
    options.onProgress?.(done, total)
    await breath()
    last = performance.now()
  }
}

function pieceLengthFor({ pieceLength, compression, ratio = 1 }: PackOptions, total: number): number {
  const estimate = compression === 'none' ? total : Math.ceil(total * ratio)
  const length = typeof pieceLength === 'number' ? pieceLength : pieceLength(estimate)
  if (Number.isSafeInteger(length) && length > 0) return length
  throw new MurderError('BAD_PIECE_LENGTH', `a piece cannot be ${length} bytes long`, {
    cure: 'use a whole number of bytes, 16384 or more',
  })
}

function create(output: string): number {
  try {
    // Removed first, so that an older file's mode or a symlink there does not matter.
    rmSync(output, { force: true })
    return openSync(output, 'wx', 0o600)
  } catch (cause) {
    throw unwritable(output, cause)
  }
}

async function storing<T>(work: Promise<T>, output: string): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw unwritable(output, cause)
  }
}
