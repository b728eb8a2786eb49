import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reuseOf } from '../../../../src/agent/reuse/reuse.ts'
import { readSignature, signerOf } from '../../../../src/agent/reuse/signature.ts'
import { createTorrent } from '../../../../src/torrent/metainfo/create.ts'
import { type Metainfo, parseMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'
import { piecesHere } from '../../../../src/torrent/storage/pieces-here.ts'
import { Storage } from '../../../../src/torrent/storage/storage.ts'
import { plant, type Tree, temporary } from '../../package/trees.ts'

export const UNIT = 16 * 1024
export const PIECE = 4 * UNIT

export async function torrentOf(source: string, pieceLength = PIECE): Promise<Metainfo> {
  return parseMetainfo(await createTorrent({ source, trackers: [], pieceLength, sign: signerOf }))
}

export interface Looked {
  /** Bytes that must be fetched. */
  missing: number
  /** Those of pieces of which nothing counts as here. */
  missingPieces: number[]
  /** Whether all that counts as here is right, and the files are as the torrent has them once the rest is fetched. */
  isRight: boolean
}

interface Options {
  from?: Tree
  lie?: (signature: Buffer) => void
  /** It looked before and was killed after so many pieces. */
  interruptedAfter?: number
}

/**
 * Has a peer with `before` look for the content of `after`; `from` is elsewhere. Both are a directory, or a file where they are
 * bytes.
 */
export async function look(
  before: Tree | Buffer,
  after: Tree | Buffer,
  { from, lie, interruptedAfter }: Options = {},
): Promise<Looked> {
  const place = temporary()
  const put = (name: string, what: Tree | Buffer) =>
    Buffer.isBuffer(what)
      ? join(plant(place, { [name]: what }), name)
      : plant(join(place, name), Object.keys(what).length > 0 ? what : { 'unrelated file': 'x' })
  const [target, source] = [put('before', before), put('after', after)]
  const elsewhere = from ? [put('from', from)] : []
  const metainfo = await torrentOf(source)
  const signature = Buffer.from(metainfo.signature as Uint8Array)
  lie?.(signature)
  const reuse = reuseOf({ metainfo, path: target, from: elsewhere }, readSignature(signature, metainfo))
  if (interruptedAfter !== undefined) {
    const killed = new Storage(metainfo, target, true)
    let left = interruptedAfter
    for await (const _ of piecesHere(metainfo, killed, reuse)) if (--left <= 0) break
    await killed.close()
  }
  const [storage, right] = [new Storage(metainfo, target, true), new Storage(metainfo, source, false)]
  const units = new Map<number, Uint8Array | undefined>()
  for await (const reused of piecesHere(metainfo, storage, reuse)) units.set(reused.piece, reused.units)
  const looked: Looked = { missing: 0, missingPieces: [], isRight: true }
  for (let piece = 0; piece * PIECE < metainfo.length; piece++) {
    const here = units.get(piece)
    if (!units.has(piece)) looked.missingPieces.push(piece)
    for (let at = piece * PIECE; at < Math.min(metainfo.length, (piece + 1) * PIECE); at += UNIT) {
      const bytes = await right.read(at, Buffer.alloc(Math.min(UNIT, metainfo.length - at)))
      const isHere = units.has(piece) && (here === undefined || here[(at - piece * PIECE) / UNIT] === 1)
      if (!isHere) {
        looked.missing += bytes.length
        await storage.write(at, bytes)
      } else if (!bytes.equals(await storage.read(at, Buffer.alloc(bytes.length)))) looked.isRight = false
    }
  }
  await storage.close()
  await right.close()
  for (const { path } of metainfo.files) {
    const [ours, theirs] = metainfo.singleFile
      ? [target, source]
      : [join(target, ...path), join(source, ...path)]
    looked.isRight &&= readFileSync(ours).equals(readFileSync(theirs))
  }
  return looked
}
