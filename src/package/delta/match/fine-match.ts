import { hashWindow, leavingFactor, rollHash, slotOf } from './rolling.ts'

/** A run of the new bytes that is like a run of the old ones, with a few differences in between; or like none. */
export interface FineRun {
  length: number
  /** Where the old bytes begin. */
  offset?: number
}

/** A run is considered only if it has this many equal bytes. */
const SEED_BYTES = 16
/** A reference to a shorter run elsewhere costs about as much as its compressed bytes. */
const MIN_RUN_BYTES = 24
/** At most so many places of the old bytes are remembered. For more, only every second, fourth, … is. */
const MAX_SEEDS = 2 ** 21
/** A run goes on over differences until its losses exceed its gains by this much. */
const GIVE_UP = 32
/** A different byte costs its place and its value. */
const DIFFERENCE_COST = 2

/**
 * Finds runs of `target` that are like runs of `old`, both of which are in memory. As in bsdiff, a run grows from a few equal
 * bytes in both directions and over differences: in a rebuilt program addresses change everywhere, and little else.
 * `seeds` are those of `old`. The old bytes at a place in `target` plus `diagonal` are compared first.
 */
export function* fineMatch(target: Buffer, old: Buffer, seeds: Seeds, diagonal = 0): Generator<FineRun> {
  let told = 0
  let at = 0
  /** The old bytes after the last run, which are compared first. */
  let straight = diagonal
  const factor = leavingFactor(SEED_BYTES)
  let hash = 0
  let hashed = -1
  while (at + SEED_BYTES <= target.length) {
    if (at === hashed + 1 && hashed >= 0)
      hash = rollHash(hash, factor, target[hashed] as number, target[hashed + SEED_BYTES] as number)
    else hash = hashWindow(target, at, SEED_BYTES)
    hashed = at
    const start = startOfRun(target, old, at, straight, seeds.find(hash))
    if (start < 0) {
      at += strideAfter(at - told, seeds.step)
      continue
    }
    const before = growBackward(target, old, at, start, at - told)
    const length = before + growForward(target, old, at, start)
    if (at - before > told) yield { length: at - before - told }
    yield { length, offset: start - before }
    straight = start - at
    told = at - before + length
    at = told
  }
  if (told < target.length) yield { length: target.length - told }
}

/** Where nothing was found for so long, every second place is looked at, after twice as long every third, and so on (LZ4's way). */
const PATIENCE_BYTES = 512
/** A run of this and a seed is found even so, since it grows backward. */
const MAX_REACH_BYTES = 16

/**
 * Bytes to the next place that is looked at. If only every `step`th old place is known, it is a multiple of that and one more: then
 * one of `step` places meets a known one, wherever a run lies.
 */
function strideAfter(missedBytes: number, step: number): number {
  const most = Math.max(1, Math.floor(MAX_REACH_BYTES / step))
  const stride = Math.min(most, 1 + Math.floor(missedBytes / PATIENCE_BYTES))
  return 1 + step * Math.floor((stride - 1) / step)
}

/** Where in `old` a run that is the same as the bytes of `target` from `at` on begins; -1 when none is long enough. */
function startOfRun(target: Buffer, old: Buffer, at: number, diagonal: number, seed: number): number {
  const straight = at + diagonal
  if (straight >= 0 && sameFrom(target, old, at, straight, SEED_BYTES) >= SEED_BYTES) return straight
  if (seed < 0) return -1
  return sameFrom(target, old, at, seed, MIN_RUN_BYTES) + sameBefore(target, old, at, seed) >= MIN_RUN_BYTES
    ? seed
    : -1
}

function sameFrom(target: Buffer, old: Buffer, at: number, from: number, most: number): number {
  const end = Math.min(most, target.length - at, old.length - from)
  let length = 0
  while (length < end && target[at + length] === old[from + length]) length++
  return length
}

function sameBefore(target: Buffer, old: Buffer, at: number, from: number): number {
  const end = Math.min(SEED_BYTES, at, from)
  let length = 0
  while (length < end && target[at - length - 1] === old[from - length - 1]) length++
  return length
}

/** Bytes to compare at once while all are equal. */
const STRIDE_BYTES = 4096

/** The length of the best run from there on. */
function growForward(target: Buffer, old: Buffer, at: number, from: number): number {
  const end = Math.min(target.length - at, old.length - from)
  let score = 0
  let best = 0
  let bestLength = 0
  let strideAt = 0
  for (let i = 0; i < end && score > best - GIVE_UP; ) {
    if (i >= strideAt && i === bestLength) {
      strideAt = i + STRIDE_BYTES
      if (isSame(target, at + i, old, from + i, STRIDE_BYTES)) {
        // Old gains do not outweigh new losses, so the score need not grow.
        i = strideAt
        bestLength = i
        continue
      }
    }
    score += target[at + i] === old[from + i] ? 1 : -DIFFERENCE_COST
    i++
    if (score <= best) continue
    best = score
    bestLength = i
  }
  return bestLength
}

function isSame(target: Buffer, at: number, old: Buffer, from: number, length: number): boolean {
  return (
    at + length <= target.length &&
    from + length <= old.length &&
    target.compare(old, from, from + length, at, at + length) === 0
  )
}

/** How many bytes before it belong to the run, at most `most`. */
function growBackward(target: Buffer, old: Buffer, at: number, from: number, most: number): number {
  const end = Math.min(most, from)
  let score = 0
  let best = 0
  let bestLength = 0
  for (let i = 1; i <= end && score > best - GIVE_UP; i++) {
    score += target[at - i] === old[from - i] ? 1 : -DIFFERENCE_COST
    if (score <= best) continue
    best = score
    bestLength = i
  }
  return bestLength
}

/** Where runs of old bytes begin, by their hash. Of several with one hash it knows the first. */
export class Seeds {
  #slots = new Int32Array(0)
  #shift = 31
  /** Of so many places one is remembered. */
  step = 1

  /** Forgets the bytes before, and takes these. */
  take(old: Buffer): void {
    const step = Math.max(1, Math.ceil(old.length / MAX_SEEDS))
    this.step = step
    const bits = Math.max(4, Math.ceil(Math.log2(old.length / step + 1)) + 1)
    this.#shift = 32 - bits
    if (this.#slots.length < 2 ** bits) this.#slots = new Int32Array(2 ** bits)
    this.#slots.fill(-1, 0, 2 ** bits)
    if (old.length < SEED_BYTES) return
    const factor = leavingFactor(SEED_BYTES)
    const slots = this.#slots
    const shift = this.#shift
    let hash = hashWindow(old, 0, SEED_BYTES)
    for (let at = 0, next = 0; ; at++) {
      if (at === next) {
        next += step
        const slot = slotOf(hash, shift)
        if ((slots[slot] as number) < 0) slots[slot] = at
      }
      if (at + SEED_BYTES >= old.length) break
      hash = rollHash(hash, factor, old[at] as number, old[at + SEED_BYTES] as number)
    }
  }

  /** -1 when there is none. It may be another run with the same hash. */
  find(hash: number): number {
    return this.#slots[slotOf(hash, this.#shift)] as number
  }
}
