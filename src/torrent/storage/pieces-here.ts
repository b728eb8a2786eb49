import { MurderError } from '../../errors.ts'
import type { Metainfo } from '../metainfo/metainfo.ts'
import { pieceIsRight } from '../metainfo/piece-hasher.ts'
import { digestOfZeros } from '../metainfo/zeros.ts'
import type { Storage } from './storage.ts'
import type { Survey } from './survey.ts'
import { checkPieces, hasHash, spotCheck } from './verify.ts'

/**
 * For a seeder. Throws when the content at `path` has other lengths, or when one of a few pieces is wrong. Checking all pieces
 * would take too long.
 */
export async function checkSeederContent(metainfo: Metainfo, storage: Storage, path: string): Promise<void> {
  await storage.checkLengths()
  await spotCheck(metainfo, (at, into) => storage.read(at, into), path)
}

/** A piece with bytes that are in place now: either all of it, verified, or the units that are not zeros, unverified. */
export interface Reused {
  piece: number
  units?: Uint8Array
}

/** Puts content from other places on this machine into missing pieces. */
export type Reuse = (storage: Storage, survey: Survey, missing: readonly number[]) => AsyncGenerator<Reused>

/**
 * For a peer. Makes the files and yields the pieces that are there from an earlier run, and then those that `reuse` finds. Once
 * the files are made, holes and missing bytes read as zeros.
 */
export async function* piecesHere(
  metainfo: Metainfo,
  storage: Storage,
  reuse?: Reuse,
): AsyncGenerator<Reused> {
  const check = (survey: Survey) => {
    const read = (at: number, into: Buffer) => storage.read(at, into)
    const kindOf = (at: number, size: number) => (survey.hasBytes(at, size) ? 'bytes' : 'zeros')
    return checkPieces(metainfo, read, { kindOf })
  }
  const survey = await storage.prepare(
    async (survey) => {
      let missing = 0
      for await (const { piece, right } of check(survey)) if (!right) missing += sizeOf(metainfo, piece)
      return missing
    },
    { cuts: reuse === undefined },
  )
  const missing: number[] = []
  for await (const { piece, right } of check(survey)) {
    if (right) yield { piece }
    else missing.push(piece)
  }
  if (!reuse) return
  if (missing.length > 0) yield* reuse(storage, survey, missing)
  await storage.cut(survey)
}

/** For a peer whose files are made: pieces of zeros in places that had only holes when `survey` was taken. */
export function* zerosHere(
  metainfo: Pick<Metainfo, 'length' | 'pieceLength' | 'pieces'>,
  survey: Survey,
): Generator<number> {
  const { length, pieceLength, pieces } = metainfo
  for (let piece = 0; piece * pieceLength < length; piece++) {
    const size = sizeOf(metainfo, piece)
    if (survey.hasBytes(piece * pieceLength, size)) continue
    if (pieceIsRight(pieces, piece, digestOfZeros(size))) yield piece
  }
}

/**
 * For a seeder, after it has read a range. Throws OTHER_CONTENT when a file in it has changed since the start and a piece of the
 * range is now wrong. A file that was only touched stays in use.
 */
export async function refuseChangedContent(
  metainfo: Metainfo,
  storage: Storage,
  range: { position: number; length: number },
): Promise<void> {
  const changed = await storage.changedFile(range.position, range.length)
  if (changed === undefined) return
  const { pieceLength, pieces } = metainfo
  const end = range.position + range.length
  for (let piece = Math.floor(range.position / pieceLength); piece * pieceLength < end; piece++) {
    const content = Buffer.allocUnsafeSlow(sizeOf(metainfo, piece))
    if (hasHash(pieces, piece, await storage.read(piece * pieceLength, content))) continue
    throw new MurderError('OTHER_CONTENT', `${changed} has changed while it was shared`, {
      cure: 'make the torrent again from this content, and do not change the content while it is shared',
    })
  }
}

const sizeOf = ({ length, pieceLength }: Pick<Metainfo, 'length' | 'pieceLength'>, piece: number) =>
  Math.min(pieceLength, length - piece * pieceLength)
