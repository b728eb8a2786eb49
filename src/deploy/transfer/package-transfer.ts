import { mkdir } from 'node:fs/promises'
import { newKey } from '../../package/format/cipher.ts'
import { zstdAvailable } from '../../package/format/compress.ts'
import { chooseCompression } from '../../package/pack/choose-compression.ts'
import { estimateCompression } from '../../package/pack/estimate-compression.ts'
import { pack } from '../../package/pack/pack.ts'
import { encodeMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { choosePieceLength } from '../../torrent/metainfo/piece-length.ts'
import type { Context } from '../context/context.ts'
import { extentOf, type PackageWish, packagePath, type Transfer, transferOf } from './transfer.ts'

/** Packages a directory and makes the torrent of the package, in one pass over the files. */
export async function packageTransfer(context: Context, wish: PackageWish): Promise<Transfer> {
  const { settings, signal } = context
  const { root, entries, directory } = wish
  const board = context.display.board()
  const ratio = settings.compression === 'none' ? 1 : estimateCompression(root, entries)
  const compression = chooseCompression({
    wanted: settings.compression,
    ratio,
    zstdEverywhere: wish.zstdEverywhere && zstdAvailable(),
  })
  const encryption = settings.encrypt ? { key: newKey() } : {}
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { length, sha256, pieces, pieceLength } = await pack({
    root,
    entries,
    output: packagePath(directory),
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
  return transferOf(settings, wish, {
    torrent,
    sha256,
    compression,
    extent: extentOf(entries),
    ...encryption,
  })
}
