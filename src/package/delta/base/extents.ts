import { openToRead } from '../../../files/open-to-read.ts'
import { type ByteSource, fileSource } from '../match/byte-source.ts'

/** Bytes of a segment. The content of a file is some of these, one after the other. */
export type Extent = [segment: string, offset: number, length: number]

/** The extents of a range of a file that has these. */
export function extentsWithin(extents: readonly Extent[], offset: number, length: number): Extent[] {
  const within: Extent[] = []
  let start = 0
  for (const [segment, at, size] of extents) {
    const from = Math.max(offset, start)
    const to = Math.min(offset + length, start + size)
    if (from < to) within.push([segment, at + from - start, to - from])
    start += size
  }
  return within
}

/** Undefined unless all of `size` bytes can be opened. */
export function openExtents(
  extents: readonly Extent[],
  size: number,
  pathOf: (segment: string) => string,
): ByteSource | undefined {
  const files = new Map<string, ByteSource>()
  const close = () => {
    for (const file of files.values()) file.close()
  }
  /** Where each extent ends in the file. */
  const ends: number[] = []
  try {
    for (const [segment, , length] of extents) {
      if (!files.has(segment))
        files.set(segment, fileSource(openToRead(pathOf(segment)), Number.MAX_SAFE_INTEGER))
      ends.push((ends.at(-1) ?? 0) + length)
    }
  } catch {
    close()
    return undefined
  }
  if (ends.at(-1) !== size) {
    close()
    return undefined
  }
  const read = (into: Uint8Array, position: number): number => {
    let done = 0
    for (let i = indexAfter(ends, position); i < extents.length && done < into.length; i++) {
      const [segment, offset, length] = extents[i] as Extent
      const within = position + done - ((ends[i] as number) - length)
      const wanted = Math.min(length - within, into.length - done)
      const got = files.get(segment)?.read(into.subarray(done, done + wanted), offset + within) ?? 0
      done += got
      if (got < wanted) break
    }
    return done
  }
  return { size, read, close }
}

/** The index of the first end that lies behind `position`. */
function indexAfter(ends: readonly number[], position: number): number {
  let [low, high] = [0, ends.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ends[middle] as number) <= position) low = middle + 1
    else high = middle
  }
  return low
}
