import { createHash } from 'node:crypto'
import { MurderError } from '../../errors.ts'
import { strongHash } from '../../package/delta/match/blocks.ts'
import { hashWindow, slotOf } from '../../package/delta/match/rolling.ts'
import type { Signer } from '../../torrent/metainfo/create.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import { UNIT_BYTES } from '../../torrent/scheduler/request-window.ts'

const VERSION = 1
const HEAD_BYTES = 2
const FILE_BYTES = 8
const STRONG_BYTES = 5
const ROW_BYTES = 4 + 2 + STRONG_BYTES
/** A block is one unit of the swarm; in content of more than 16 GiB it is several. */
const MAX_BLOCKS = 2 ** 20
/** The beginning of a block. Its hash is compared before that of the whole block. */
const PREFIX_BYTES = 64

/** What a torrent says about its content besides piece hashes (NOTES.md). If it lies, the pieces turn out wrong. */
export interface ContentSignature {
  /** Bytes of all blocks but the last: a multiple of `UNIT_BYTES` of which a piece has a whole number. */
  blockLength: number
  blockCount: number
  weakOf(block: number): number
  prefixOf(block: number): number
  strongOf(block: number): Buffer
  /** The beginning of the SHA-256 of a file of the torrent. */
  digestOf(file: number): Buffer
}

/** Makes the signature of content as it is read. */
export function signerOf(pieceLength: number, length: number): Signer {
  let blockLength = UNIT_BYTES
  while (length / blockLength > MAX_BLOCKS && blockLength < pieceLength) blockLength *= 2
  const files: Buffer[] = []
  const rows: Buffer[] = []
  const block = Buffer.allocUnsafe(blockLength)
  let filled = 0
  let file = createHash('sha256')
  const cut = () => {
    rows.push(rowOf(block.subarray(0, filled)))
    filled = 0
  }
  return {
    update(chunk) {
      file.update(chunk)
      for (let at = 0; at < chunk.length; ) {
        const part = chunk.subarray(at, at + blockLength - filled)
        block.set(part, filled)
        filled += part.length
        at += part.length
        if (filled === blockLength) cut()
      }
    },
    fileEnds() {
      files.push(file.digest().subarray(0, FILE_BYTES))
      file = createHash('sha256')
    },
    finish() {
      if (filled > 0) cut()
      return Buffer.concat([Buffer.from([VERSION, Math.log2(blockLength)]), ...files, ...rows])
    },
  }
}

function rowOf(block: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(ROW_BYTES)
  row.writeInt32LE(hashWindow(block, 0, block.length), 0)
  row.writeUInt16LE(prefixHash(block), 4)
  strongOf(block).copy(row, 6)
  return row
}

export const prefixHash = (block: Uint8Array): number =>
  slotOf(hashWindow(block, 0, Math.min(PREFIX_BYTES, block.length)), 16)

export const strongOf = (block: Uint8Array): Buffer => strongHash(block, STRONG_BYTES)

/** Throws BAD_SIGNATURE unless its form fits this torrent. */
export function readSignature(bytes: Uint8Array, { length, pieceLength, files }: Metainfo): ContentSignature {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const blockLength = 2 ** (all[1] ?? 0)
  if (all[0] !== VERSION) throw bad('it is of another version')
  if (blockLength < UNIT_BYTES || pieceLength % blockLength !== 0)
    throw bad(`its blocks do not fit pieces of ${pieceLength} bytes`)
  const blockCount = Math.ceil(length / blockLength)
  const start = HEAD_BYTES + files.length * FILE_BYTES
  if (all.length !== start + blockCount * ROW_BYTES) throw bad('it is not as long as its content needs')
  const rowAt = (block: number) => start + block * ROW_BYTES
  return {
    blockLength,
    blockCount,
    weakOf: (block) => all.readInt32LE(rowAt(block)),
    prefixOf: (block) => all.readUInt16LE(rowAt(block) + 4),
    strongOf: (block) => all.subarray(rowAt(block) + 6, rowAt(block) + ROW_BYTES),
    digestOf: (file) => all.subarray(HEAD_BYTES + file * FILE_BYTES, HEAD_BYTES + (file + 1) * FILE_BYTES),
  }
}

const bad = (why: string) =>
  new MurderError('BAD_SIGNATURE', `the signature in the torrent is not used: ${why}`, {
    cure: 'make the torrent again with murder make-torrent --signature',
  })
