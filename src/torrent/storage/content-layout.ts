import { dirname, join } from 'node:path'
import type { Metainfo } from '../metainfo/metainfo.ts'

/** A file of the content on disk: where it starts in the content, and its length there. */
export interface Stretch {
  path: string
  start: number
  length: number
}

/** The part of a range that lies in one file: its position in the file, and its start and end in the range. */
export interface Part {
  index: number
  path: string
  at: number
  from: number
  to: number
}

/** Which file holds which bytes of the content: a single file or the files of a directory, addressed as one run of bytes. */
export class ContentLayout {
  readonly stretches: readonly Stretch[]
  /** The directory that holds everything. */
  readonly top: string
  /** The directories below the target that hold files or symlinks, each after the one that holds it. */
  readonly directories: readonly string[]
  /** Bytes from the start of the first file to the end of the last. */
  readonly length: number

  /** `elsewhere`: files that are in another place than the target, by their path in the torrent. */
  constructor(
    {
      files,
      singleFile,
      links = [],
    }: Pick<Metainfo, 'files' | 'singleFile'> & Partial<Pick<Metainfo, 'links'>>,
    target: string,
    elsewhere: Record<string, string> = {},
  ) {
    this.top = singleFile ? dirname(target) : target
    this.directories = singleFile ? [] : directoriesOf(target, [...files, ...links])
    let start = 0
    this.stretches = files.map(({ path, length, padding = 0 }) => {
      start += padding
      const own = singleFile ? target : join(target, ...path)
      const stretch = { path: elsewhere[path.join('/')] ?? own, start, length }
      start += length
      return stretch
    })
    this.length = start
  }

  /** Indexes of the files that have bytes in a range. */
  *filesOf(position: number, length: number): Generator<number> {
    for (let index = this.#firstAt(position); index < this.stretches.length; index++) {
      const stretch = this.stretches[index] as Stretch
      if (stretch.start >= position + length) return
      if (stretch.start + stretch.length > position) yield index
    }
  }

  /** Where a range of the content is on disk, file by file. */
  *partsOf(position: number, length: number): Generator<Part> {
    for (const index of this.filesOf(position, length)) {
      const { path, start, length: whole } = this.stretches[index] as Stretch
      const first = Math.max(position, start)
      const last = Math.min(position + length, start + whole)
      yield { index, path, at: first - start, from: first - position, to: last - position }
    }
  }

  /** Index of the last stretch that begins at `position` or before it, by binary search. */
  #firstAt(position: number): number {
    let low = 0
    let high = this.stretches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.stretches[middle] as Stretch).start <= position) low = middle
      else high = middle - 1
    }
    return Math.max(0, low)
  }
}

/** Every directory below `target` that leads to a file or a symlink, outer ones first. */
function directoriesOf(target: string, files: { path: string[] }[]): string[] {
  const found = new Set<string>()
  for (const { path } of files) {
    for (let depth = 1; depth < path.length; depth++) found.add(join(target, ...path.slice(0, depth)))
  }
  return [...found].sort((a, b) => (a < b ? -1 : 1))
}
