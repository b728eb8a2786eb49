import { type BigIntStats, closeSync, fstat, fstatSync, read, readSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isSystemError, MurderError } from '../../errors.ts'
import type { Entry } from '../../files/entry.ts'
import { changed, unreadable } from '../../files/file-errors.ts'
import { openToRead } from '../../files/open-to-read.ts'
import type { Content } from '../format/tar.ts'

const readAsync: (...range: [number, Buffer, number, number, number]) => Promise<{ bytesRead: number }> =
  promisify(read)
const fstatAsync = promisify(fstat)

/**
 * A smaller file is read synchronously in one go, because three system calls cost less than three round trips to another thread.
 */
const MAX_SMALL_FILE_BYTES = 256 << 10
const CHUNK_BYTES = 1 << 20

/**
 * Reads the files of a release for packing. Throws FILE_CHANGED when a file's size or mtime differs from what `scan` saw, before
 * or after reading. Buffers are reused, as `Content` says.
 */
export function contentReader(root: string): (entry: Entry) => Content {
  const small = Buffer.allocUnsafe(MAX_SMALL_FILE_BYTES)
  const pair = [0, 0].map(() => Buffer.allocUnsafe(CHUNK_BYTES)) as [Buffer, Buffer]
  return (entry) => {
    if (entry.size > MAX_SMALL_FILE_BYTES) return readLarge(root, entry, pair)
    return readSmall(root, entry, small)
  }
}

function readSmall(root: string, entry: Entry, buffer: Buffer): Buffer {
  const fd = open(root, entry)
  try {
    let length = 0
    for (let got = -1; got !== 0 && length < entry.size; length += got)
      got = readSync(fd, buffer, length, entry.size - length, null)
    if (length !== entry.size) throw changed(entry.path, 'changed its size')
    assertSame(entry, fstatSync(fd, { bigint: true }))
    return buffer.subarray(0, length)
  } catch (cause) {
    throw readFault(entry, cause)
  } finally {
    closeSync(fd)
  }
}

/** Reads ahead by one chunk, so that the disk and the hashes work at the same time. */
async function* readLarge(root: string, entry: Entry, buffers: [Buffer, Buffer]): AsyncGenerator<Buffer> {
  const fd = open(root, entry)
  let [current, next] = buffers
  let position = 0
  let ahead = startRead(fd, current, position)
  try {
    assertSame(entry, await fstatAsync(fd, { bigint: true }))
    while (position < entry.size) {
      const { bytesRead } = await ahead
      if (bytesRead === 0 || position + bytesRead > entry.size) throw changed(entry.path, 'changed its size')
      position += bytesRead
      if (position < entry.size) ahead = startRead(fd, next, position)
      yield current.subarray(0, bytesRead)
      ;[current, next] = [next, current]
    }
    assertSame(entry, await fstatAsync(fd, { bigint: true }))
  } catch (cause) {
    throw readFault(entry, cause)
  } finally {
    // A read may still be using the descriptor.
    await ahead.catch(() => undefined)
    closeSync(fd)
  }
}

/** Starts a read whose failure does not count as unhandled when it is awaited late. */
function startRead(fd: number, into: Buffer, position: number): Promise<{ bytesRead: number }> {
  const reading = readAsync(fd, into, 0, CHUNK_BYTES, position)
  reading.catch(() => undefined)
  return reading
}

function open(root: string, entry: Entry): number {
  try {
    return openToRead(entry.source ?? join(root, entry.path))
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR')) throw changed(entry.path, 'vanished', cause)
    if (isSystemError(cause, 'ELOOP', 'ENXIO')) throw changed(entry.path, 'became something else', cause)
    throw unreadable(entry.path, cause)
  }
}

function readFault(entry: Entry, cause: unknown): MurderError {
  if (cause instanceof MurderError) return cause
  if (isSystemError(cause, 'EISDIR')) return changed(entry.path, 'became something else', cause)
  return unreadable(entry.path, cause)
}

function assertSame(entry: Entry, stats: BigIntStats): void {
  if (!stats.isFile()) throw changed(entry.path, 'became something else')
  if (Number(stats.size) !== entry.size) throw changed(entry.path, 'changed its size')
  if (stats.mtimeNs !== entry.mtime) throw changed(entry.path, 'changed')
}
