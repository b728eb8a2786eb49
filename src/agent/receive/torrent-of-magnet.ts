import { readFileSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import type { MagnetOrder } from '../../protocol/order.ts'
import { isWanted } from '../../torrent/metadata/metadata.ts'
import { metainfoOfMagnet } from '../../torrent/metainfo/magnet.ts'
import { metainfoOfInfo } from '../../torrent/metainfo/metainfo.ts'
import type { ContentJob } from '../runs/job.ts'
import { metadataFile } from './transfer-directory.ts'

/**
 * The torrent as far as it is known. It has piece hashes if an earlier attempt has kept them; otherwise they come from other
 * peers.
 */
export function torrentOfMagnet(
  magnet: MagnetOrder,
  directory: string,
): Pick<ContentJob, 'torrent' | 'metadata'> {
  const file = metadataFile(directory)
  const info = read(file)
  if (info && isWanted(info, magnet)) return { torrent: { bytes: info, metainfo: metainfoOfInfo(info) } }
  const { sha256, size } = magnet
  return {
    torrent: { bytes: Buffer.alloc(0), metainfo: metainfoOfMagnet(magnet) },
    metadata: { sha256, size, file },
  }
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}
