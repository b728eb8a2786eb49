import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Compression } from '../agent/contract.ts'
import type { Settings } from '../config/index.ts'
import { MurderError } from '../errors.ts'
import { chooseCompression } from '../package/choice.ts'
import { newKey } from '../package/cipher.ts'
import { zstdAvailable } from '../package/compress.ts'
import type { Entry } from '../package/entry.ts'
import { estimateCompression } from '../package/estimate.ts'
import { pack } from '../package/pack.ts'
import { scan } from '../package/scan.ts'
import { encodeMetainfo, parseMetainfo } from '../torrent/metainfo.ts'
import { choosePieceLength } from '../torrent/piece-length.ts'
import { newSecret } from '../torrent/secret.ts'
import type { Context } from './context.ts'

/** A release, ready to travel. */
export interface Transfer {
  tag: string
  /** The package on the deploy host, and its length in bytes. */
  file: string
  length: number
  sha256: string
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
  /** What to package; the deployed directory when it is left out. */
  root?: string
  /** Directory on the deploy host for the package. */
  directory: string
  /** Whether any server could take unchanged files from its current release. */
  prefill: boolean
  zstdEverywhere: boolean
  /** How many servers it goes to. */
  peers: number
  /** Patterns of files to leave out besides the configured ones. */
  ignore?: string[]
}

/** The directory that is deployed, as shipit-deploy chooses it. Throws WORKSPACE_MISSING. */
export function sourceDirectory({ shipit }: Context): string {
  const { rsyncFrom, dirToCopy = '', workspace } = shipit.config
  const root = rsyncFrom ?? shipit.workspace ?? workspace
  if (root !== undefined && root !== '') return resolve(root, dirToCopy)
  throw new MurderError('WORKSPACE_MISSING', 'There is no workspace to package', {
    cure: 'set "workspace" in the shipitfile, or run deploy:fetch first',
    exitCode: 2,
  })
}

/** Packages the workspace and makes its torrent, in one pass over the files. */
export async function makePackage(context: Context, wish: PackageWish): Promise<Transfer> {
  const { settings, shipit, signal } = context
  const root = wish.root ?? sourceDirectory(context)
  const board = context.board()
  board.step('package')
  const entries = scan(root, {
    ignore: [...(shipit.config.ignores ?? []), ...settings.ignore, ...(wish.ignore ?? [])],
  })
  const ratio = settings.compression === 'none' || wish.prefill ? 1 : estimateCompression(root, entries)
  const compression = chooseCompression({
    wanted: settings.compression,
    ratio,
    prefill: wish.prefill,
    zstdEverywhere: wish.zstdEverywhere && zstdAvailable(),
  })
  await mkdir(wish.directory, { recursive: true, mode: 0o700 })
  const file = join(wish.directory, 'package')
  const encryption = settings.encrypt ? { key: newKey() } : {}
  const { length, sha256, pieces, pieceLength } = await pack({
    root,
    entries,
    output: file,
    compression,
    ratio,
    ...encryption,
    pieceLength: settings.pieceLength ?? ((bytes) => choosePieceLength(bytes, wish.peers)),
    signal,
    onProgress: (bytes, total) => board.step('package', { bytes, total }),
  })
  const torrent = encodeMetainfo({
    name: 'package',
    pieceLength,
    pieces: Buffer.concat(pieces),
    content: length,
    trackers: [],
  })
  const { infoHash } = parseMetainfo(torrent)
  return {
    tag: wish.tag,
    file,
    length,
    sha256,
    compression,
    infoHash,
    torrent,
    ...secretFor(settings),
    ...encryption,
    entries,
  }
}

/** A secret of its own for each transfer, unless strangers may join. */
export const secretFor = ({ allowStrangers }: Settings): { secret?: string } =>
  allowStrangers ? {} : { secret: newSecret() }

const BLOCK = 4096

/** Bytes that the unpacked release takes on a usual file system. */
export function releaseBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, { size }) => sum + Math.ceil(size / BLOCK) * BLOCK + BLOCK / 4, 0)
}
