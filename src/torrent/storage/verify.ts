import { createHash } from 'node:crypto'
import { MurderError } from '../../errors.ts'
import type { Metainfo } from '../metainfo/metainfo.ts'
import { pieceIsRight } from '../metainfo/piece-hasher.ts'
import { areZeros, digestOfZeros } from '../metainfo/zeros.ts'
import { Storage } from './storage.ts'

/** `unsure`: only pieces that the file shares with other files are wrong, so the fault may be in those. */
export interface FileCheck {
  /** Path below the target; the file's own name for a single file. */
  path: string
  state: 'same' | 'different' | 'missing' | 'unsure'
}

interface CheckOptions {
  signal?: AbortSignal
  /** What is known about a range before reading: `bytes` must be read. */
  kindOf?: (position: number, length: number) => 'bytes' | 'zeros' | 'missing'
  onProgress?: (bytes: number, total: number) => void
}

/** Read while the previous bytes are hashed. */
const READ_AHEAD_BYTES = 1024 * 1024

/** Fills `into` with the content from `position` on. */
type Read = (position: number, into: Buffer) => Promise<unknown>

/** Yields in order, for each piece, whether the content on disk has its hash. Works at the speed of the disk. */
export async function* checkPieces(
  metainfo: Pick<Metainfo, 'length' | 'pieceLength' | 'pieces'>,
  read: Read,
  options: CheckOptions = {},
): AsyncGenerator<{ piece: number; right: boolean }> {
  const { length, pieceLength, pieces } = metainfo
  const kindOf = options.kindOf ?? (() => 'bytes')
  const batches = batchesToRead(metainfo, (at, size) => kindOf(at, size) === 'bytes')
  // Two buffers serve the whole check, because new memory for each batch would cost more than hashing it.
  const memories = [0, 0].map(() =>
    Buffer.allocUnsafeSlow(Math.max(READ_AHEAD_BYTES, Math.min(pieceLength, length))),
  )
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
      const [piece, size] = [at / pieceLength, Math.min(pieceLength, length - at)]
      const isZeros = kindOf(at, size) === 'zeros'
      yield { piece, right: isZeros && pieceIsRight(pieces, piece, digestOfZeros(size)) }
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

/** Consecutive whole pieces that must be read, up to `READ_AHEAD_BYTES`. */
function* batchesToRead(
  { length, pieceLength }: Pick<Metainfo, 'length' | 'pieceLength'>,
  mustRead: (position: number, length: number) => boolean,
): Generator<Batch, undefined> {
  let batch: Batch | undefined
  for (let at = 0; at < length; at += pieceLength) {
    const size = Math.min(pieceLength, length - at)
    const here = mustRead(at, size)
    if (batch && (!here || batch.size + size > READ_AHEAD_BYTES)) {
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

export function hasHash(pieces: Uint8Array, piece: number, content: Buffer): boolean {
  const digest = areZeros(content) ? digestOfZeros(content.length) : sha1(content)
  return pieceIsRight(pieces, piece, digest)
}

const sha1 = (content: Uint8Array) => createHash('sha1').update(content).digest()

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
    const kindOf = (at: number, size: number) => (survey.isWhole(at, size) ? 'bytes' : 'missing')
    for await (const { piece, right } of checkPieces(metainfo, read, { ...options, kindOf })) {
      if (right) continue
      const holders = [...storage.layout.filesOf(piece * metainfo.pieceLength, metainfo.pieceLength)]
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

const SPOT_CHECK_PIECES = 16

/** Checks a few pieces, spread over the content: enough to notice that the torrent describes something else. */
export async function spotCheck(
  metainfo: Pick<Metainfo, 'length' | 'pieceLength' | 'pieces'>,
  read: Read,
  path: string,
): Promise<void> {
  const count = Math.ceil(metainfo.length / metainfo.pieceLength)
  const step = Math.max(1, Math.floor(count / SPOT_CHECK_PIECES))
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
