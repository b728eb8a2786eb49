export interface TorrentFile {
  /** Path below the torrent's directory, one part an element; for a single file just its name. */
  path: string[]
  length: number
  /** Zeros of the content before this file that are in no file (BEP 47). */
  padding?: number
  executable?: boolean
}

/** A symlink (BEP 47), which has no content. */
export interface TorrentLink {
  path: string[]
  /** A path of the torrent. */
  target: string[]
}
