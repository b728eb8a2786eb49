import type { Metainfo } from '../metainfo/metainfo.ts'
import type { Storage } from './storage.ts'
import type { Survey } from './survey.ts'
import { checkPieces, spotCheck } from './verify.ts'

/**
 * For a seeder. Throws when the content at `path` has other lengths, or when one of a few pieces is wrong: checking all of
 * them would take too long.
 */
export async function checkSeederContent(metainfo: Metainfo, storage: Storage, path: string): Promise<void> {
  await storage.checkLengths()
  await spotCheck(metainfo, (at, into) => storage.read(at, into), path)
}

/**
 * For a peer. Makes the files and yields the pieces that are there already, from an earlier run or prefilled. Holes are zeros, and
 * so is what is missing, once the files are made.
 */
export async function* piecesHere(metainfo: Metainfo, storage: Storage): AsyncGenerator<number> {
  const check = (survey: Survey) => {
    const read = (at: number, into: Buffer) => storage.read(at, into)
    const kindOf = (at: number, size: number) => (storage.hasBytes(survey, at, size) ? 'bytes' : 'zeros')
    return checkPieces(metainfo, read, { kindOf })
  }
  const survey = await storage.prepare(async (survey) => {
    let missing = 0
    for await (const { piece, right } of check(survey)) if (!right) missing += sizeOf(metainfo, piece)
    return missing
  })
  for await (const { piece, right } of check(survey)) if (right) yield piece
}

const sizeOf = ({ length, pieceLength }: Metainfo, piece: number) =>
  Math.min(pieceLength, length - piece * pieceLength)
