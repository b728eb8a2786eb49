/**
 * Jobs of `murder delta`, a process beside the plugin: one line of JSON on its standard input, which stays open as long as the
 * result is wanted.
 */
export type DeltaJob = MakeDeltas | KeepBase

interface OfRelease {
  /** Where the new release's files are. */
  root: string
  entries: readonly JobEntry[]
  /** A file that keeps the hashes of files from one deploy to the next. */
  hashes: string
}

/** Answered by an event `made` or `unmade` for each delta, in this order. */
export interface MakeDeltas extends OfRelease {
  do: 'make'
  deltas: readonly WantedDelta[]
}

export interface WantedDelta {
  /** The id of a base. */
  id: string
  /** Where the base is kept, or the signature that a server has sent. */
  bases: string
  /** The delta's file. */
  output: string
  /** The key to encrypt it with, hex. */
  key?: string
}

/** Answered by an event `read`. */
export interface KeepBase extends OfRelease {
  do: 'keep'
  /** Where bases are kept. */
  bases: string
  /** Bytes. Of a larger release no content is kept. */
  contentLimit: number
  /** Deltas that were made of this release: they tell what is new in it. */
  deltas: readonly Omit<WantedDelta, 'bases'>[]
}

/** An entry of a release as JSON, which cannot hold its time as a number. */
export interface JobEntry {
  path: string
  type: 'file' | 'directory' | 'symlink'
  mode: number
  mtime: string
  size: number
  linkname?: string
  source?: string
}
