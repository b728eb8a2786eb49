import { readFileSync, statSync } from 'node:fs'
import { encodeMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { choosePieceLength } from '../../torrent/metainfo/piece-length.ts'
import type { TaskContext } from '../context/context.ts'
import { digest } from './file-transfer.ts'
import { type BaseOfDelta, packagePath, type Transfer, transferOf } from './transfer.ts'

interface DeltaSpec {
  /** The directory of the delta, which takes the place of a package there. */
  directory: string
  /** How many servers it goes to. */
  peers: number
  base: BaseOfDelta
  key: string | undefined
}

/** Joining a swarm takes a server about as many bytes: a delta up to this goes with the order. */
export const MAX_CONTENT_BYTES = 16 << 10

/** The transfer of a delta to those servers that have its base. */
export async function deltaTransfer(
  { settings, signal }: Pick<TaskContext, 'settings' | 'signal'>,
  { tag, extent }: Pick<Transfer, 'tag' | 'extent'>,
  { directory, peers, base, key }: DeltaSpec,
): Promise<Transfer> {
  const file = packagePath(directory)
  const { size } = statSync(file)
  const pieceLength = choosePieceLength(size, peers)
  const { pieces, sha256 } = await digest(file, size, pieceLength, signal)
  const torrent = encodeMetainfo({ name: 'package', pieceLength, pieces, content: size, trackers: [] })
  const spec = { tag, directory, root: directory, peers }
  const encryption = key === undefined ? {} : { key }
  const made = { torrent, sha256, compression: 'none', extent, base, ...encryption } as const
  const transfer = transferOf(settings, spec, made)
  return size > MAX_CONTENT_BYTES ? transfer : { ...transfer, content: readFileSync(file) }
}
