import { createHash } from 'node:crypto'
import { MurderError } from '../../errors.ts'
import type { Metainfo } from '../metainfo/metainfo.ts'
import { pieceIsRight } from '../metainfo/piece-hasher.ts'
import { Storage } from './storage.ts'

/** `unsure`: only pieces that other files have a part in are wrong, so it may be theirs. */
export interface FileCheck {
  /** Path below the target; the file's own name for a single file. */
  path: string
  state: 'same' | 'different' | 'missing' | 'unsure'
}

interface CheckOptions {
  signal?: AbortSignal
  /** Whether all bytes of a range may be there; what isn't is not read, and not right. */
  mayHold?: (position: number, length: number) => boolean
  onProgress?: (bytes: number, total: number) => void
}

/** Bytes read ahead while the ones before are hashed. */
const READ_AHEAD = 1024 * 1024

/** Fills `into` with the content from `position` on. */
type Read = (position: number, into: Buffer) => Promise<unknown>

/** Yields the number of each piece and whether the content on disk has its hash, in order, at the speed of the disk. */
export async function* checkPieces(
  metainfo: Pick<Metainfo, 'length' | 'pieceLength' | 'pieces'>,
  read: Read,
  options: CheckOptions = {},
): AsyncGenerator<{ piece: number; right: boolean }> {
  const { length, pieceLength, pieces } = metainfo
  const batches = batchesToRead(metainfo, options.mayHold ?? (() => true))
  // Two for the whole check: new memory for each batch costs more than hashing it.
  const memories = [0, 0].map(() => Buffer.allocUnsafeSlow(Math.max(READ_AHEAD, pieceLength)))
  const load = ({ at, size }: Batch) => {
    const into = (memories.reverse()[0] as Buffer).subarray(0, size)
    return read(at, into).then(
      () => into,
      () => undefined,
    )
  }
  let [batch, loading] = nextOf(batches, load)
  for (let at = 0; at < length; ) {
    options.signal?.throwIfAborted()
    if (at !== batch?.at) {
      yield { piece: at / pieceLength, right: false }
      at += pieceLength
      continue
    }
    const { size } = batch
    const loaded = await loading
    ;[batch, loading] = nextOf(batches, load)
    for (let offset = 0; offset < size; offset += pieceLength) {
      const piece = (at + offset) / pieceLength
      const content = loaded?.subarray(offset, Math.min(size, offset + pieceLength))
      yield { piece, right: content !== undefined && hasHash(pieces, piece, content) }
    }
    at += size
    options.onProgress?.(Math.min(length, at), length)
  }
}

interface Batch {
  at: number
  size: number
}

/** Whole pieces in a row that may be there, up to `READ_AHEAD` bytes of them. */
function* batchesToRead(
  { length, pieceLength }: Pick<Metainfo, 'length' | 'pieceLength'>,
  mayHold: (position: number, length: number) => boolean,
): Generator<Batch, undefined> {
  let batch: Batch | undefined
  for (let at = 0; at < length; at += pieceLength) {
    const size = Math.min(pieceLength, length - at)
    const here = mayHold(at, size)
    if (batch && (!here || batch.size + size > READ_AHEAD)) {
      yield batch
      batch = undefined
    }
    if (here) batch = { at: batch?.at ?? at, size: (batch?.size ?? 0) + size }
  }
  if (batch) yield batch
}

function nextOf<T, R>(items: Iterator<T, undefined>, work: (item: T) => R): [T, R] | [undefined, undefined] {
  const { value } = items.next()
  return value === undefined ? [undefined, undefined] : [value, work(value)]
}

function hasHash(pieces: Uint8Array, piece: number, content: Buffer): boolean {
  const digest = isEmpty(content) ? digestOfZeros(content.length) : sha1(content)
  return pieceIsRight(pieces, piece, digest)
}

const sha1 = (content: Uint8Array) => createHash('sha1').update(content).digest()

const zeros = Buffer.alloc(256 * 1024)

/** Holes read as zeros, and an interrupted download has many: comparing is several times as fast as hashing. */
function isEmpty(content: Buffer): boolean {
  for (let at = 0; at < content.length; at += zeros.length) {
    const part = content.subarray(at, at + zeros.length)
    if (!part.equals(zeros.subarray(0, part.length))) return false
  }
  return true
}

const known = new Map<number, Buffer>()

function digestOfZeros(length: number): Buffer {
  const digest = known.get(length) ?? sha1(Buffer.alloc(length))
  known.set(length, digest)
  return digest
}

/** Compares the content at `target` with the torrent, file by file, reading everything once. */
export async function verifyContent(
  metainfo: Metainfo,
  target: string,
  options: CheckOptions = {},
): Promise<FileCheck[]> {
  const storage = new Storage(metainfo, target, false)
  try {
    const survey = await storage.survey()
    const states = metainfo.files.map(({ length }, index): FileCheck['state'] => {
      const found = survey.found[index]
      return !found?.isFile() ? 'missing' : found.size === length ? 'same' : 'different'
    })
    const read = (at: number, into: Buffer) => storage.read(at, into)
    const mayHold = (at: number, length: number) => storage.mayHold(survey, at, length)
    for await (const { piece, right } of checkPieces(metainfo, read, { ...options, mayHold })) {
      if (right) continue
      const holders = [...storage.filesOf(piece * metainfo.pieceLength, metainfo.pieceLength)]
      for (const index of holders) {
        if (holders.length === 1 && states[index] !== 'missing') states[index] = 'different'
        if (states[index] === 'same') states[index] = 'unsure'
      }
    }
    return metainfo.files.map(({ path }, index) => ({
      path: path.join('/'),
      state: states[index] as FileCheck['state'],
    }))
  } finally {
    await storage.close()
  }
}

const SPOT_CHECKS = 16

/** Checks a few pieces, spread over the content: enough to notice that it is not what the torrent describes. */
export async function spotCheck(
  metainfo: Pick<Metainfo, 'length' | 'pieceLength' | 'pieces'>,
  read: Read,
  path: string,
): Promise<void> {
  const count = Math.ceil(metainfo.length / metainfo.pieceLength)
  const step = Math.max(1, Math.floor(count / SPOT_CHECKS))
  const memory = Buffer.allocUnsafeSlow(Math.min(metainfo.pieceLength, metainfo.length))
  for (let piece = 0; piece < count; piece += step) {
    const at = piece * metainfo.pieceLength
    const content = memory.subarray(0, metainfo.length - at)
    await read(at, content)
    if (hasHash(metainfo.pieces, piece, content)) continue
    throw new MurderError(
      'OTHER_CONTENT',
      `${path} is not what the torrent describes: piece ${piece} differs`,
      {
        cure: 'make the torrent again from this content, or name the path it was made from',
      },
    )
  }
}
