import { statSync } from 'node:fs'
import { encodeMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { choosePieceLength } from '../../torrent/metainfo/piece-length.ts'
import type { Context } from '../context/context.ts'
import { digest } from './file-transfer.ts'
import { packagePath, type Transfer, transferOf } from './transfer.ts'

interface DeltaWish {
  /** The directory of the delta, which is there in a package's place. */
  directory: string
  /** How many servers it goes to. */
  peers: number
  base: { id: string; becomes: string }
  key: string | undefined
}

/** The transfer of a delta to those servers that have its base. */
export async function deltaTransfer(
  { settings, signal }: Context,
  { tag, extent }: Transfer,
  { directory, peers, base, key }: DeltaWish,
): Promise<Transfer> {
  const file = packagePath(directory)
  const { size } = statSync(file)
  const pieceLength = choosePieceLength(size, peers)
  const { pieces, sha256 } = await digest(file, size, pieceLength, signal)
  const torrent = encodeMetainfo({ name: 'package', pieceLength, pieces, content: size, trackers: [] })
  const wish = { tag, directory, root: directory, peers }
  const encryption = key === undefined ? {} : { key }
  return transferOf(settings, wish, { torrent, sha256, compression: 'none', extent, base, ...encryption })
}
