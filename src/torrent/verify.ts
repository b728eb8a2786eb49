import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MurderError } from '../errors.ts'
import type { Metainfo } from './metainfo.ts'
import { pieceIsRight } from './pieces.ts'
import { Storage } from './storage.ts'

export interface FileCheck {
  /** Path below the target; the file's own name for a single file. */
  path: string
  state: 'same' | 'different' | 'missing'
}

interface CheckOptions {
  signal?: AbortSignal
  onProgress?: (bytes: number, total: number) => void
}

/** Bytes read ahead while the ones before are hashed. */
const READ_AHEAD = 4 * 1024 * 1024

/** Yields the number of each piece and whether the content on disk has its hash, in order, at the speed of the disk. */
export async function* checkPieces(
  metainfo: Pick<Metainfo, 'length' | 'pieceLength' | 'pieces'>,
  read: (position: number, length: number) => Promise<Buffer>,
  options: CheckOptions = {},
): AsyncGenerator<{ piece: number; right: boolean }> {
  const { length, pieceLength, pieces } = metainfo
  const batch = Math.max(1, Math.floor(READ_AHEAD / pieceLength)) * pieceLength
  const load = (at: number) =>
    at < length ? read(at, Math.min(batch, length - at)).catch(() => undefined) : undefined
  let next = load(0)
  for (let at = 0; at < length; at += batch) {
    options.signal?.throwIfAborted()
    const loaded = await next
    next = load(at + batch)
    const size = Math.min(batch, length - at)
    for (let offset = 0; offset < size; offset += pieceLength) {
      const piece = (at + offset) / pieceLength
      const content = loaded?.subarray(offset, Math.min(size, offset + pieceLength))
      const right =
        content !== undefined && pieceIsRight(pieces, piece, createHash('sha1').update(content).digest())
      yield { piece, right }
    }
    options.onProgress?.(Math.min(length, at + size), length)
  }
}

/** Compares the content at `target` with the torrent, file by file. A file is the same when all its pieces are. */
export async function verifyContent(
  metainfo: Metainfo,
  target: string,
  options: CheckOptions = {},
): Promise<FileCheck[]> {
  const checks: (FileCheck & { start: number; end: number })[] = []
  let start = 0
  for (const file of metainfo.files) {
    const found = await stat(metainfo.singleFile ? target : join(target, ...file.path)).catch(() => undefined)
    const state = !found?.isFile() ? 'missing' : found.size === file.length ? 'same' : 'different'
    checks.push({ path: file.path.join('/'), state, start, end: start + file.length })
    start += file.length
  }
  const storage = new Storage(metainfo, target, false)
  try {
    for await (const { piece, right } of checkPieces(
      metainfo,
      (at, length) => storage.read(at, length),
      options,
    )) {
      if (right) continue
      const from = piece * metainfo.pieceLength
      for (const check of checks) {
        const overlaps = check.start < from + metainfo.pieceLength && from < check.end
        if (overlaps && check.state === 'same') check.state = 'different'
      }
    }
  } finally {
    await storage.close()
  }
  return checks.map(({ path, state }) => ({ path, state }))
}

const SPOT_CHECKS = 16

/** Checks a few pieces, spread over the content: enough to notice that it is not what the torrent describes. */
export async function spotCheck(
  metainfo: Pick<Metainfo, 'length' | 'pieceLength' | 'pieces'>,
  read: (position: number, length: number) => Promise<Buffer>,
  path: string,
): Promise<void> {
  const count = Math.ceil(metainfo.length / metainfo.pieceLength)
  const step = Math.max(1, Math.floor(count / SPOT_CHECKS))
  for (let piece = 0; piece < count; piece += step) {
    const at = piece * metainfo.pieceLength
    const content = await read(at, Math.min(metainfo.pieceLength, metainfo.length - at))
    if (pieceIsRight(metainfo.pieces, piece, createHash('sha1').update(content).digest())) continue
    throw new MurderError(
      'OTHER_CONTENT',
      `${path} is not what the torrent describes: piece ${piece} differs`,
      {
        cure: 'make the torrent again from this content, or name the path it was made from',
      },
    )
  }
}
