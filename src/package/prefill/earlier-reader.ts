import { closeSync, fstatSync, readSync, type Stats } from 'node:fs'
import { realDirectories } from '../../files/directories/real-directories.ts'
import { type Entry, nameOf, parentOf } from '../../files/entry.ts'
import { openToRead } from '../../files/open-to-read.ts'
import type { Content } from '../format/tar.ts'

const CHUNK_BYTES = 1 << 20

/**
 * Guesses content from an earlier release: that of the regular file with the same path and size. Nothing outside of `from` is
 * ever read: a directory that a symlink takes elsewhere counts as missing, and so does a file that is a symlink. The content
 * of an unreadable file is unknown.
 */
export function earlierReader(from: string): { contentOf: (entry: Entry) => Content; reused: () => number } {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const directoryOf = realDirectories(from)
  let reused = 0

  async function* chunks(fd: number, entry: Entry): AsyncGenerator<Buffer> {
    try {
      if (!isFileOf(entry.size, () => fstatSync(fd))) return
      for (let position = 0; position < entry.size; ) {
        const length = readSome(fd, buffer, Math.min(CHUNK_BYTES, entry.size - position), position)
        if (length === 0) return
        position += length
        reused += length
        yield buffer.subarray(0, length)
      }
    } finally {
      closeSync(fd)
    }
  }

  function contentOf(entry: Entry): Content {
    const directory = directoryOf(parentOf(entry.path))
    if (directory === undefined) return undefined
    const fd = open(`${directory}/${nameOf(entry.path)}`)
    if (fd === undefined) return undefined
    if (entry.size >= CHUNK_BYTES) return chunks(fd, entry)
    // Asking for one byte more than it should have shows its size, and that it is a file, without a stat.
    const length = readSome(fd, buffer, entry.size + 1, 0)
    closeSync(fd)
    if (length !== entry.size) return undefined
    reused += length
    return buffer.subarray(0, length)
  }

  return { contentOf, reused: () => reused }
}

function open(path: string): number | undefined {
  try {
    return openToRead(path)
  } catch {
    return undefined // It is missing, unreadable or a symlink.
  }
}

/** Whether it is a regular file of this size. */
export function isFileOf(size: number, stat: () => Stats): boolean {
  try {
    const stats = stat()
    return stats.isFile() && stats.size === size
  } catch {
    return false
  }
}

function readSome(fd: number, into: Buffer, length: number, position: number): number {
  try {
    return readSync(fd, into, 0, length, position)
  } catch {
    return 0
  }
}
