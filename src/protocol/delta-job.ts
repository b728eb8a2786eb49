/**
 * What the plugin asks of `murder delta`, a process beside it: one line of JSON on its standard input, which stays open as long
 * as the result is wanted.
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
  /** Where it is kept, or what a server has sent of it. */
  bases: string
  /** The file to write. */
  output: string
  /** The key to encrypt it with, hex. */
  key?: string
}

/** Answered by an event `read`. */
export interface KeepBase extends OfRelease {
  do: 'keep'
  /** Where bases are kept. */
  bases: string
  /** Bytes: of a larger release no content is kept. */
  contentLimit: number
}

/** An entry of a release, whose time JSON cannot hold. */
export interface JobEntry {
  path: string
  type: 'file' | 'directory' | 'symlink'
  mode: number
  mtime: string
  size: number
  linkname?: string
  source?: string
}
