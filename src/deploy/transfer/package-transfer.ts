import { mkdir } from 'node:fs/promises'
import { hashingReader } from '../../package/delta/base/hashing-reader.ts'
import { newKey } from '../../package/format/cipher.ts'
import { zstdAvailable } from '../../package/format/compress.ts'
import { packedLength } from '../../package/format/header.ts'
import { chooseCompression } from '../../package/pack/choose-compression.ts'
import { estimateCompression } from '../../package/pack/estimate-compression.ts'
import { pack } from '../../package/pack/pack.ts'
import type { Compression } from '../../protocol/order.ts'
import { either } from '../../system/abort.ts'
import { defined } from '../../system/defined.ts'
import { encodeMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { choosePieceLength } from '../../torrent/metainfo/piece-length.ts'
import type { TaskContext } from '../context/context.ts'
import { extentOf, type PackageSpec, packagePath, type Transfer, transferOf } from './transfer.ts'
import { type MakeOptions, otherContent, type PlannedPackage } from './whole-package.ts'

/** How a directory would be packaged, and the estimated size of the package. */
export function planPackage(
  context: Pick<TaskContext, 'settings' | 'signal'>,
  spec: PackageSpec,
): Pick<PlannedPackage, 'estimatedBytes' | 'compression' | 'make'> {
  const { settings } = context
  const { root, entries } = spec
  const ratio = settings.compression === 'none' ? 1 : estimateCompression(root, entries)
  const compression = chooseCompression({
    wanted: settings.compression,
    ratio,
    zstdEverywhere: spec.zstdEverywhere && zstdAvailable(),
  })
  const plain = packedLength(entries)
  return {
    compression,
    estimatedBytes: compression === 'none' ? plain : Math.ceil(plain * ratio),
    make: (options = {}) => packageTransfer(context, spec, { ...options, compression, ratio }),
  }
}

/** Packages a directory and makes the torrent of the package, in one pass over the files. */
async function packageTransfer(
  { settings, signal }: Pick<TaskContext, 'settings' | 'signal'>,
  spec: PackageSpec,
  {
    id,
    onProgress,
    signal: own,
    compression,
    ratio,
  }: MakeOptions & { compression: Compression; ratio: number },
): Promise<Transfer> {
  const { root, entries, directory } = spec
  const encryption = settings.encrypt ? { key: newKey() } : {}
  const hashing = id === undefined ? undefined : hashingReader(root, entries)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { length, sha256, pieces, pieceLength } = await pack({
    root,
    entries,
    output: packagePath(directory),
    compression,
    ratio,
    ...encryption,
    pieceLength: settings.pieceLength ?? ((bytes) => choosePieceLength(bytes, spec.peers)),
    signal: either(signal, own),
    ...defined({ contentOf: hashing?.contentOf, onProgress }),
  })
  if (hashing && hashing.manifest().id !== id) throw otherContent()
  const torrent = encodeMetainfo({
    name: 'package',
    pieceLength,
    pieces: Buffer.concat(pieces),
    content: length,
    trackers: [],
  })
  return transferOf(settings, spec, {
    torrent,
    sha256,
    compression,
    extent: extentOf(entries),
    ...encryption,
  })
}
