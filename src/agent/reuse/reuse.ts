import { setImmediate as breath } from 'node:timers/promises'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import { UNIT_BYTES } from '../../torrent/scheduler/request-window.ts'
import type { Reuse, Reused } from '../../torrent/storage/pieces-here.ts'
import type { Storage } from '../../torrent/storage/storage.ts'
import type { Survey } from '../../torrent/storage/survey.ts'
import { hasHash } from '../../torrent/storage/verify.ts'
import { copyOrder } from './copy-order.ts'
import { findContent, type Part } from './find-content.ts'
import { localFiles } from './local-files.ts'
import { OldContent } from './old-content.ts'
import { type ContentSignature, strongOf } from './signature.ts'

interface Looking {
  metainfo: Metainfo
  signature: ContentSignature
  storage: Storage
}

/**
 * Puts content that is here in other places into its own: in the torrent's files, in others of its directory, and in `from`. A
 * piece that is then whole is compared with its hash. Of an incomplete piece only the missing blocks are fetched. The others are
 * compared with the signature, and the piece with its hash, as always.
 */
export function reuseOf(
  { metainfo, path, from }: { metainfo: Metainfo; path: string; from: readonly string[] },
  signature: ContentSignature,
): Reuse {
  return async function* (storage, survey, missing) {
    const looking = { metainfo, signature, storage }
    const inPlace = await blocksInPlace(looking, survey, missing)
    const files = await localFiles(metainfo, path, { from, survey })
    const blocks = missing.flatMap((piece) => blocksOf(looking, piece)).filter((block) => !inPlace.has(block))
    const found = await findContent({ ...looking, files, blocks })
    yield* copy(looking, missing, inPlace, found)
  }
}

function blocksOf({ metainfo, signature }: Looking, piece: number): number[] {
  const inPiece = metainfo.pieceLength / signature.blockLength
  const last = Math.min(signature.blockCount, (piece + 1) * inPiece)
  return Array.from({ length: last - piece * inPiece }, (_, index) => piece * inPiece + index)
}

const lengthOf = ({ metainfo, signature: { blockLength } }: Looking, block: number) =>
  Math.min(blockLength, metainfo.length - block * blockLength)

/** The blocks of missing pieces that are where they belong. */
async function blocksInPlace(
  looking: Looking,
  survey: Survey,
  missing: readonly number[],
): Promise<Set<number>> {
  const { signature, storage } = looking
  const { blockLength } = signature
  const zeros = Buffer.alloc(blockLength)
  const strongOfZeros = strongOf(zeros)
  const memory = Buffer.allocUnsafe(blockLength)
  const here = new Set<number>()
  for (const piece of missing) {
    await breath()
    for (const block of blocksOf(looking, piece)) {
      const [at, length] = [block * blockLength, lengthOf(looking, block)]
      const isRead = length < blockLength || survey.hasBytes(at, length)
      const bytes = isRead && (await storage.read(at, memory.subarray(0, length)).catch(() => undefined))
      const strong = bytes ? strongOf(bytes) : strongOfZeros
      if (strong.equals(signature.strongOf(block))) here.add(block)
    }
  }
  return here
}

async function* copy(
  looking: Looking,
  missing: readonly number[],
  inPlace: ReadonlySet<number>,
  found: ReadonlyMap<number, Part[]>,
): AsyncGenerator<Reused> {
  const { metainfo, storage } = looking
  const reads = new Map<number, Set<number>>()
  for (const piece of missing) {
    const parts = blocksOf(looking, piece).flatMap((block) => found.get(block) ?? [])
    if (parts.length > 0) reads.set(piece, piecesUnder(parts, piece, metainfo.pieceLength))
    else {
      const units = unitsOf(looking, piece, (block) => inPlace.has(block))
      if (units) yield { piece, units }
    }
  }
  const old = new OldContent(metainfo, storage)
  for (const { piece, isNeeded } of copyOrder(reads)) {
    if (isNeeded) await old.save(piece)
    const reused = await copyPiece(looking, piece, inPlace, found, old)
    if (reused) yield reused
  }
}

/** The other pieces whose place holds these parts. */
function piecesUnder(parts: readonly Part[], own: number, pieceLength: number): Set<number> {
  const pieces = new Set<number>()
  for (const { file, offset, length } of parts) {
    if (!file.place) continue
    const start = file.place.position + offset
    const end = Math.min(file.place.position + file.place.length, start + length)
    for (let piece = Math.floor(start / pieceLength); piece * pieceLength < end; piece++) pieces.add(piece)
  }
  pieces.delete(own)
  return pieces
}

async function copyPiece(
  looking: Looking,
  piece: number,
  inPlace: ReadonlySet<number>,
  found: ReadonlyMap<number, Part[]>,
  old: OldContent,
): Promise<Reused | undefined> {
  const { metainfo, signature, storage } = looking
  const start = piece * metainfo.pieceLength
  const bytes = Buffer.alloc(Math.min(metainfo.pieceLength, metainfo.length - start))
  const blocks = blocksOf(looking, piece)
  const here = new Set<number>()
  for (const block of blocks) {
    const at = block * signature.blockLength
    const into = bytes.subarray(at - start, at - start + lengthOf(looking, block))
    const parts = found.get(block)
    if (parts) for (const part of parts) old.read(part, into.subarray(part.position - at))
    else if (inPlace.has(block)) await storage.read(at, into)
    else continue
    if (strongOf(into).equals(signature.strongOf(block))) here.add(block)
  }
  if (here.size === blocks.length) {
    if (!hasHash(metainfo.pieces, piece, bytes)) return undefined // The signature lies, or a hash fits by chance.
    await storage.write(start, bytes)
    return { piece }
  }
  for (const block of here) {
    if (!found.has(block)) continue
    const at = block * signature.blockLength
    await storage.write(at, bytes.subarray(at - start, at - start + lengthOf(looking, block)))
  }
  const units = unitsOf(looking, piece, (block) => here.has(block))
  return units && { piece, units }
}

/** The units of a piece whose blocks are here. Undefined for none; also for all, because then a hash fits only by chance. */
function unitsOf(
  looking: Looking,
  piece: number,
  isHere: (block: number) => boolean,
): Uint8Array | undefined {
  const { metainfo, signature } = looking
  const length = Math.min(metainfo.pieceLength, metainfo.length - piece * metainfo.pieceLength)
  const units = new Uint8Array(Math.ceil(length / UNIT_BYTES))
  const inBlock = signature.blockLength / UNIT_BYTES
  for (const [index, block] of blocksOf(looking, piece).entries())
    if (isHere(block)) units.fill(1, index * inBlock, (index + 1) * inBlock)
  return units.includes(1) && units.includes(0) ? units : undefined
}
