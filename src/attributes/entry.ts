import { MurderError } from '../errors.ts'
import type { Entry } from '../files/entry.ts'
import type { AclNames } from './acl.ts'

/** The name of the manifest in a torrent and in the directory. */
export const MANIFEST = '.murder.mtree'

/** A file, directory or symlink with all of its attributes. The top directory is the entry `.`, which is always first. */
export interface TreeEntry extends Entry {
  uid: number
  gid: number
  uname?: string
  gname?: string
  /** SHA-256 of a file's content, hex. */
  sha256?: string
  /** The path of an earlier entry of which this one is a hard link. */
  hardlink?: string
  /** Extended attributes, which include ACLs: values in base64 by name. */
  xattrs?: Record<string, string>
}

export interface Manifest {
  entries: TreeEntry[]
  /** Whether extended attributes could be read. If not, those of the target are left alone. */
  hasXattrs: boolean
  /** Names of users and groups in ACLs, which hold only numbers. */
  aclNames?: AclNames
}

/** `how` and `why` the manifest cannot be used: `do not fit`, `it is empty`. */
export const badManifest = (how: string, why: string): MurderError =>
  new MurderError('BAD_MANIFEST', `the attributes in ${MANIFEST} ${how}: ${why}`, {
    cure: 'the content itself is complete; make the torrent again, or leave them out with --no-attributes',
  })
