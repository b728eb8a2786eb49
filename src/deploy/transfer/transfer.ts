import type { Settings } from '../../config/schema.ts'
import type { Entry } from '../../files/entry.ts'
import type { Compression } from '../../protocol/order.ts'
import { newSecret } from '../../torrent/access/secret.ts'

/** Beside a package: the secret of its swarm, for the seeder. */
export const SECRET = 'secret'

/** A release, ready to travel. */
export interface Transfer {
  tag: string
  /** The package on the deploy host, or a link to the file or directory that travels as it is; its length in bytes. */
  file: string
  length: number
  /** Of the package, or of a directory's manifest, hex. */
  sha256: string
  /** It is a directory of files with a manifest, and no package. */
  directory?: boolean
  compression: Compression
  infoHash: string
  torrent: Buffer
  /** The package is encrypted with it. */
  key?: string
  /** What all of its swarm prove to know; undefined when strangers may join. */
  secret?: string
  entries: Entry[]
}

export interface PackageWish {
  tag: string
  /** The directory to package, and what of it. */
  root: string
  entries: Entry[]
  /** Directory on the deploy host for the package. */
  directory: string
  /** Whether any server could take unchanged files from its current release. */
  prefill: boolean
  zstdEverywhere: boolean
  /** How many servers it goes to. */
  peers: number
}

/** A secret of its own for each transfer, unless strangers may join. */
export const secretFor = ({ allowStrangers }: Settings): { secret?: string } =>
  allowStrangers ? {} : { secret: newSecret() }

const BLOCK = 4096

/** Bytes that the unpacked release takes on a usual file system. */
export function releaseBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, { size }) => sum + Math.ceil(size / BLOCK) * BLOCK + BLOCK / 4, 0)
}
