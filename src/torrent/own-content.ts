import { checkSeederContent, piecesHere, refuseChangedContent, zerosHere } from './storage/pieces-here.ts'
import type { Survey } from './storage/survey.ts'
import type { SwarmContext } from './swarm-context.ts'

/** The content that is on this machine's disk: finds it at the start, and reads it for others. */
export class OwnContent {
  readonly #context: SwarmContext
  /** What was on disk at the start, kept until the piece hashes come. */
  #surveyed: Survey | undefined

  constructor(context: SwarmContext) {
    this.#context = context
  }

  /** Tells the scheduler which pieces are here. A peer's files are made. */
  async find(): Promise<void> {
    const { options, metainfo, local, storage, scheduler } = this.#context
    if (local.isSeeder) {
      await checkSeederContent(metainfo, storage, options.path)
      for (let piece = 0; piece < local.pieceCount; piece++) scheduler.alreadyHave(piece)
      return
    }
    if (!this.#context.pieceHashes) {
      this.#surveyed = await storage.prepare()
      return
    }
    for await (const { piece, units } of piecesHere(metainfo, storage, options.reuse)) {
      if (units) scheduler.partlyHave(piece, units)
      else {
        scheduler.alreadyHave(piece)
        options.onPiece?.(piece)
      }
    }
  }

  /**
   * Call it when the hashes have come and nothing has been written so far. Pieces of zeros need not be fetched, as when the hashes
   * are known from the start. Yields each.
   */
  *findZeros(): Generator<number> {
    const { metainfo, pieceHashes: pieces, scheduler, options } = this.#context
    if (!pieces || !this.#surveyed) return
    for (const piece of zerosHere({ ...metainfo, pieces }, this.#surveyed)) {
      if (!scheduler.picker.open.has(piece)) continue
      scheduler.alreadyHave(piece)
      yield piece
      options.onPiece?.(piece)
    }
  }

  /** Fills `into` with the content from `position` on. For a seeder, throws when the content has changed since the start. */
  async read(position: number, into: Buffer): Promise<Buffer> {
    const { storage, metainfo, local } = this.#context
    const content = await storage.read(position, into)
    if (local.isSeeder) await refuseChangedContent(metainfo, storage, { position, length: into.length })
    return content
  }

  /** Names of the files that have bytes of the piece. */
  filesOf(piece: number): string[] {
    const { storage, metainfo } = this.#context
    const { pieceLength, files } = metainfo
    const indexes = [...storage.layout.filesOf(piece * pieceLength, pieceLength)]
    return indexes.map((index) => files[index]?.path.join('/') ?? '')
  }
}
