import { createHash } from 'node:crypto'
import { bad } from './fields.ts'
import { type Metainfo, metainfoOfInfo } from './metainfo.ts'

/**
 * What a peer knows about the torrent of one file before its piece hashes have come from others (BEP 9): more than a magnet link
 * has.
 */
export interface Magnet {
  /** SHA-1 of the info dictionary, hex. */
  infoHash: string
  /** The same in SHA-256, hex. */
  sha256: string
  /** Bytes of the info dictionary. */
  size: number
  name: string
  /** Of the content, bytes. */
  length: number
  pieceLength: number
}

/** Undefined for a torrent of several files, because these must be known from the start. */
export function magnetOf(metainfo: Metainfo): Magnet | undefined {
  const { infoHash, info, name, length, pieceLength, singleFile } = metainfo
  if (!singleFile || metainfo.files[0]?.executable) return undefined
  const sha256 = createHash('sha256').update(info).digest('hex')
  return { infoHash, sha256, size: info.length, name, length, pieceLength }
}

/** A metainfo without piece hashes. */
export function metainfoOfMagnet({ infoHash, name, length, pieceLength }: Magnet): Metainfo {
  return {
    infoHash,
    name,
    length,
    pieceLength,
    info: new Uint8Array(),
    pieces: new Uint8Array(),
    files: [{ path: [name], length }],
    links: [],
    singleFile: true,
    trackers: [],
    private: true,
    webSeeds: [],
    createdBy: undefined,
  }
}

/** The piece hashes in an info dictionary. Throws BAD_TORRENT if it does not fit the expected torrent. */
export function piecesOfInfo(info: Uint8Array, expected: Metainfo): Uint8Array {
  const { length, pieceLength, singleFile, pieces } = metainfoOfInfo(info)
  if (!singleFile || length !== expected.length || pieceLength !== expected.pieceLength)
    throw bad('its metadata is not what the order says')
  return pieces
}
