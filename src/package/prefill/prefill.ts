import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { setImmediate as breath } from 'node:timers/promises'
import type { Entry } from '../../files/entry.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import { packedLength } from '../format/header.ts'
import { tar } from '../format/tar.ts'
import { earlierReader } from './earlier-reader.ts'

export interface PrefillOptions {
  /** The package's entries, as `decodeLayout` gave them. */
  layout: Entry[]
  /** A release that the server has already. */
  from: string
  /** The file to write. It is made anew with mode 0600, in place of an older one. */
  output: string
  signal?: AbortSignal
}

/** Longest time between two looks at timers and signals. */
const TURN_MS = 10

/**
 * Writes the uncompressed package of `layout`, assuming that each file in `from` with the same path and size also has the
 * same content. All other files become holes. The length is always that of the package. A wrong guess does no harm, because
 * every piece is verified by its hash.
 *
 * `bytes` is the length, and `reused` is how many of them came from `from`. Throws DISK_FULL, NOT_WRITABLE or INTERRUPTED, and
 * then leaves no output behind. Files that cannot be read become holes.
 */
export async function prefill(options: PrefillOptions): Promise<{ bytes: number; reused: number }> {
  const { layout, from, output, signal } = options
  stopIfAborted(signal)
  const bytes = packedLength(layout)
  const earlier = earlierReader(from)
  let fd: number | undefined
  try {
    rmSync(output, { force: true })
    fd = openSync(output, 'wx', 0o600)
    ftruncateSync(fd, bytes)
    let position = 0
    let last = performance.now()
    for await (const part of tar(layout, earlier.contentOf)) {
      stopIfAborted(signal)
      if (typeof part === 'number') position += part
      else position += writeAll(fd, part, position)
      if (performance.now() - last < TURN_MS) continue
      await breath()
      last = performance.now()
    }
  } catch (cause) {
    if (fd !== undefined) closeSync(fd)
    if (fd !== undefined) rmSync(output, { force: true })
    throw unwritable(output, cause)
  }
  closeSync(fd)
  return { bytes, reused: earlier.reused() }
}

/** Returns the number of bytes. */
function writeAll(fd: number, bytes: Buffer, position: number): number {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, position + done)
  return bytes.length
}
