import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '../../config/schema.ts'
import type { Entry } from '../../files/entry.ts'
import type { Compression } from '../../protocol/order.ts'
import { defined } from '../../system/defined.ts'
import { newSecret } from '../../torrent/access/secret.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'

/** Beside a package: the secret of its swarm, for the seeder. */
export const SECRET = 'secret'

export interface BaseOfDelta {
  id: string
  becomes: string
  /** The new release differs from it only in times. */
  unchanged: boolean
}

/** A release, ready to travel. */
export interface Transfer {
  tag: string
  /** The package on the deploy host, or a link to the file or directory that travels as it is; its length in bytes. */
  file: string
  length: number
  /** Of the torrent, in bytes. */
  pieceLength: number
  /** SHA-256 of the package, or of a directory's manifest, hex. */
  sha256: string
  /** It is a directory of files with a manifest, not a package. */
  directory?: boolean
  /** Set for a delta: ids of the manifests of its base and of the release that it makes. */
  base?: BaseOfDelta
  /** Set when it is small enough to go with each order. Then it has no swarm. */
  content?: Buffer
  compression: Compression
  infoHash: string
  torrent: Buffer
  /** The key with which the package is encrypted. */
  key?: string
  /** All members of the swarm prove that they know this secret; undefined when strangers may join. */
  secret?: string
  extent: Extent
}

/** The size of a release on a disk. */
export interface Extent {
  entries: number
  /** Of a usual file system. */
  bytes: number
  /** The first path in it. */
  top?: string
}

/** What shall travel, and where its package is made. */
export interface TransferSpec {
  tag: string
  /** The file or the directory on the deploy host. */
  root: string
  /** Directory on the deploy host for the package. */
  directory: string
  /** How many servers it goes to. */
  peers: number
}

export interface PackageSpec extends TransferSpec {
  /** The parts of the directory that travel. */
  entries: Entry[]
  zstdEverywhere: boolean
  /** Called once it is known what travels, before it is read. */
  onScanned?: (root: string, entries: readonly Entry[]) => void
}

/** The transfer that a torrent and its content make. It has a secret of its own, unless strangers may join. */
export function transferOf<Made extends Pick<Transfer, 'torrent' | 'sha256' | 'compression' | 'extent'>>(
  { allowStrangers }: Settings,
  { tag, directory }: TransferSpec,
  made: Made,
): Transfer & Made {
  const { infoHash, length, pieceLength } = parseMetainfo(made.torrent)
  const secret = allowStrangers ? {} : { secret: newSecret() }
  return { tag, file: packagePath(directory), length, pieceLength, infoHash, ...secret, ...made }
}

export const packagePath = (directory: string): string => join(directory, 'package')

/** Puts a link in the place of a package, for content that travels as it is. */
export async function linkInstead({ root, directory }: TransferSpec): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await symlink(root, packagePath(directory))
}

const BLOCK_BYTES = 4096

export function extentOf(entries: readonly Entry[]): Extent {
  const bytesOf = ({ size }: Entry) => Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES + BLOCK_BYTES / 4
  return {
    entries: entries.length,
    bytes: entries.reduce((sum, entry) => sum + bytesOf(entry), 0),
    ...defined({ top: entries.find(({ path }) => path !== '.')?.path }),
  }
}
