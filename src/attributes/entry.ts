import type { Entry } from '../files/entry.ts'

/** The name of the manifest in a torrent and in the directory. */
export const MANIFEST = '.murder.mtree'

/** One thing of a directory tree with all that can be kept of it. The directory itself is the entry `.`, always first. */
export interface TreeEntry extends Entry {
  uid: number
  gid: number
  uname?: string
  gname?: string
  /** Of a file's content, hex. */
  sha256?: string
  /** The path of an earlier entry that is the same file. */
  hardlink?: string
  /** Extended attributes and ACLs, which are some of them: value in base64 by name. */
  xattrs?: Record<string, string>
}

export interface Manifest {
  entries: TreeEntry[]
  /** Whether extended attributes could be read: if not, those of the target mean nothing. */
  hasXattrs: boolean
}
