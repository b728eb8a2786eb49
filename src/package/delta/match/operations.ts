import { MAX_OPERATION_BYTES } from '../format/delta-writer.ts'
import type { OperationSink } from '../format/operation-sink.ts'
import { fineMatch, type Seeds } from './fine-match.ts'

/** A run of old bytes in memory that is part of a file of the base. */
export interface Piece {
  /** Index in the base. */
  file: number
  /** Where in that file the bytes begin. */
  start: number
  length: number
}

/** Old bytes in memory: pieces one after the other. */
export interface Old {
  bytes: Buffer
  pieces: readonly Piece[]
  seeds: Seeds
}

/** Writes the operations that make `target` from old bytes. At each step the caller may take the output. */
export function* writeFine(
  target: Buffer,
  { bytes, pieces, seeds }: Old,
  writer: OperationSink,
  diagonal = 0,
): Generator<void> {
  let at = 0
  for (const { length, offset } of fineMatch(target, bytes, seeds, diagonal)) {
    const part = target.subarray(at, at + length)
    at += length
    if (offset === undefined) yield* writeLiteral(part, writer)
    else yield* writeCopies(part, bytes, offset, pieces, writer)
  }
}

export function* writeLiteral(bytes: Buffer, writer: OperationSink): Generator<void> {
  for (let at = 0; at < bytes.length; at += MAX_OPERATION_BYTES) {
    writer.literal(bytes.subarray(at, at + MAX_OPERATION_BYTES))
    yield
  }
}

/** A run may go on from one piece into the next. */
function* writeCopies(
  target: Buffer,
  old: Buffer,
  offset: number,
  pieces: readonly Piece[],
  writer: OperationSink,
): Generator<void> {
  let first = 0
  for (const { file, start, length } of pieces) {
    const from = Math.max(offset, first)
    const to = Math.min(offset + target.length, first + length)
    if (from < to) {
      const part = target.subarray(from - offset, to - offset)
      yield* writeCopy(part, old.subarray(from, to), file, start + from - first, writer)
    }
    first += length
  }
}

function* writeCopy(
  target: Buffer,
  old: Buffer,
  file: number,
  offset: number,
  writer: OperationSink,
): Generator<void> {
  if (target.equals(old)) {
    writer.copy(file, offset, target.length)
    yield
    return
  }
  for (let at = 0; at < target.length; at += MAX_OPERATION_BYTES) {
    const end = Math.min(target.length, at + MAX_OPERATION_BYTES)
    writer.copy(file, offset + at, end - at, differencesOf(target.subarray(at, end), old.subarray(at, end)))
    yield
  }
}

/** Pairs in the writer's form. */
function differencesOf(target: Buffer, old: Buffer): number[] {
  const pairs: number[] = []
  let same = 0
  for (let i = 0; i < target.length; i++) {
    if (target[i] === old[i]) {
      same++
      continue
    }
    pairs.push(same, ((target[i] as number) - (old[i] as number)) & 0xff)
    same = 0
  }
  return pairs
}
