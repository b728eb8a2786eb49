import type { Metainfo } from '../metainfo/metainfo.ts'
import type { Storage } from './storage.ts'
import { checkPieces, spotCheck } from './verify.ts'

/**
 * For a seeder. Throws when the content at `path` has other lengths, or when one of a few pieces is wrong: checking all of
 * them would take too long.
 */
export async function checkSeederContent(metainfo: Metainfo, storage: Storage, path: string): Promise<void> {
  await storage.checkLengths()
  await spotCheck(metainfo, (at, into) => storage.read(at, into), path)
}

/** For a peer. Makes the files and yields the pieces that are there already, from an earlier run or prefilled. */
export async function* piecesHere(metainfo: Metainfo, storage: Storage): AsyncGenerator<number> {
  const survey = await storage.prepare()
  const read = (at: number, into: Buffer) => storage.read(at, into)
  const mayHold = (at: number, length: number) => storage.mayHold(survey, at, length)
  for await (const { piece, right } of checkPieces(metainfo, read, { mayHold })) if (right) yield piece
}
