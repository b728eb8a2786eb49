import { createHash } from 'node:crypto'
import type { Entry } from '../../../files/entry.ts'

/** An entry of a release as it was delivered. */
export interface Delivered extends Entry {
  /** SHA-256 of a file's content, hex. Only files have it. */
  sha256?: string
}

/**
 * The entries that were delivered, sorted bytewise, without files that a server has added or carried over. Two
 * releases with the same id are equal to the last bit.
 */
export interface Manifest {
  id: string
  entries: readonly Delivered[]
}

/** Whether two releases differ only in times. */
export const hasSameContent = (one: Manifest, other: Manifest): boolean =>
  one.entries.length === other.entries.length &&
  one.entries.every((entry, index) => isSameEntry(entry, other.entries[index]))

/** Whether two entries differ only in their times. */
export const isSameEntry = (one: Delivered, other: Delivered | undefined): boolean =>
  one.path === other?.path &&
  one.type === other.type &&
  one.mode === other.mode &&
  one.size === other.size &&
  one.sha256 === other.sha256 &&
  one.linkname === other.linkname

export function manifestOf(entries: readonly Delivered[]): Manifest {
  const hash = createHash('sha256')
  for (const { path, type, mode, mtime, size, linkname = '', sha256 = '' } of entries)
    hash.update(`${type} ${mode} ${mtime} ${size} ${sha256} ${path}\0${linkname}\0`)
  return { id: hash.digest('hex'), entries }
}
