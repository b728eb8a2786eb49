import type { BlockIndex } from './block-index.ts'
import type { ByteSource } from './byte-source.ts'
import { hashWindow, leavingFactor, rollHash } from './rolling.ts'
import type { Scratch } from './scratch.ts'

/** An earlier file: its bytes, if they are here. */
interface Content {
  content: ByteSource | undefined
}

export interface Place {
  /** Position in the list of earlier files. */
  file: number
  offset: number
}

/** A run of the new file's bytes, and where an earlier file has them; undefined when unknown. */
export interface Run {
  length: number
  from?: Place | undefined
}

const WINDOW_BYTES = 4 << 20
/** Equal bytes that are followed in one go. */
const TURN_BYTES = 16 << 20
/** Bytes to compare at a time. */
const STRIDE_BYTES = 64 << 10
/** How far to look past a change in place, before searching for its end elsewhere. */
const LOOK_AHEAD_BYTES = 16 << 10
/** A change ends at so many equal bytes at the expected place. */
const PROBE_BYTES = 64

/**
 * Gives, for all bytes of `source` in order, where an earlier file has them. After a found block it tries the next block, and
 * byte for byte if the content is at hand. Only where that fails does a window roll; then it asks `indexOf`. At each `undefined`
 * the caller may do other work.
 */
export function* matchBlocks(
  source: ByteSource,
  earlier: readonly Content[],
  indexOf: () => BlockIndex,
  scratch: Pick<Scratch, 'window' | 'stride'>,
): Generator<Run | undefined> {
  const window = new SlidingWindow(source, scratch.window.take(Math.min(source.size, WINDOW_BYTES)))
  const follower = new Follower(window, earlier, indexOf, scratch.stride.take(STRIDE_BYTES))
  let at = 0
  let gap = 0
  let place: Place | undefined = earlier[0]?.content && { file: 0, offset: 0 }
  while (at < source.size) {
    let length = place ? follower.follow(at, place) : 0
    if (place && length === 0) {
      const over = follower.changeAt(at, place)
      at += over
      place = { file: place.file, offset: place.offset + over }
      if (over > 0) continue
    }
    if (!place || length === 0) {
      const found: Found | undefined = yield* roll(window, at, indexOf())
      if (!found) break
      const before = follower.sameBefore(found.at, found.place, found.at - gap)
      at = found.at - before
      place = { file: found.place.file, offset: found.place.offset - before }
      length = follower.follow(at, place)
    }
    if (length === 0) {
      // The content does not belong to the signature.
      at++
      place = undefined
      continue
    }
    if (at > gap) yield { length: at - gap }
    yield { length, from: place }
    place = { file: place.file, offset: place.offset + length }
    at += length
    gap = at
  }
  if (gap < source.size) yield { length: source.size - gap }
}

interface Found {
  at: number
  place: Place
}

/** The next place, from `at` on, that has a block of the index. */
function* roll(
  window: SlidingWindow,
  at: number,
  index: BlockIndex,
): Generator<undefined, Found | undefined> {
  const { blockLength } = index
  const factor = leavingFactor(blockLength)
  for (let begin = at; begin + blockLength <= window.size; ) {
    const bytes = window.bytesFrom(begin)
    if (bytes.length < blockLength) return undefined
    const last = bytes.length - blockLength
    let hash = hashWindow(bytes, 0, blockLength)
    for (let i = 0; ; i++) {
      if (index.mayHave(hash)) {
        const found = index.find(hash, bytes.subarray(i, i + blockLength))
        if (found) return { at: begin + i, place: found }
      }
      if (i === last) break
      hash = rollHash(hash, factor, bytes[i] as number, bytes[i + blockLength] as number)
    }
    begin += last + 1
    yield undefined
  }
  return undefined
}

/** Follows equal bytes in the new file and an earlier one. */
class Follower {
  readonly #window: SlidingWindow
  readonly #contents: readonly Content[]
  readonly #indexOf: () => BlockIndex
  readonly #buffer: Buffer

  constructor(
    window: SlidingWindow,
    contents: readonly Content[],
    indexOf: () => BlockIndex,
    buffer: Buffer,
  ) {
    this.#buffer = buffer
    this.#window = window
    this.#contents = contents
    this.#indexOf = indexOf
  }

  /** How many bytes are equal there; possibly fewer than all. */
  follow(at: number, { file, offset }: Place): number {
    const content = this.#contents[file]?.content
    let length = 0
    while (length < TURN_BYTES) {
      if (!content) {
        const block = this.#followBlock(at + length, file, offset + length)
        if (block === 0) return length
        length += block
        continue
      }
      const here = this.#window.bytesFrom(at + length, STRIDE_BYTES)
      const there = this.#there(content, offset + length, here.length)
      if (there.length === 0) return length
      if (!here.subarray(0, there.length).equals(there)) return length + sameBytes(here, there)
      length += there.length
    }
    return length
  }

  /** How many bytes before a found block are equal, too; at most `most`. A window cannot roll past more than a block. */
  sameBefore(at: number, { file, offset }: Place, most: number): number {
    const content = this.#contents[file]?.content
    const length = Math.min(most, offset, this.#indexOf().blockLength, STRIDE_BYTES)
    if (!content || length === 0) return 0
    const here = this.#window.bytesFrom(at - length, length)
    const there = this.#there(content, offset - length, length)
    if (here.length < length || there.length < length) return 0
    let same = 0
    while (same < length && here[length - 1 - same] === there[length - 1 - same]) same++
    return same
  }

  /** Bytes until both are equal again; 0 when that is far away or unknown. */
  changeAt(at: number, { file, offset }: Place): number {
    const content = this.#contents[file]?.content
    if (!content) return 0
    const here = this.#window.bytesFrom(at, LOOK_AHEAD_BYTES)
    const there = this.#there(content, offset, here.length)
    const end = Math.min(here.length, there.length)
    let same = 0
    for (let i = 0; i < end; i++) {
      same = here[i] === there[i] ? same + 1 : 0
      if (same === PROBE_BYTES) return i + 1 - PROBE_BYTES
    }
    return 0
  }

  #followBlock(at: number, file: number, offset: number): number {
    const index = this.#indexOf()
    const length = index.lengthAt(file, offset)
    if (length === 0) return 0
    const bytes = this.#window.bytesFrom(at, length)
    return bytes.length === length && index.isBlock(file, offset, bytes) ? length : 0
  }

  #there(content: ByteSource, offset: number, length: number): Buffer {
    const part = this.#buffer.subarray(0, Math.min(length, this.#buffer.length))
    return part.subarray(0, content.read(part, offset))
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): number {
  const end = Math.min(one.length, other.length)
  let i = 0
  while (i < end && one[i] === other[i]) i++
  return i
}

/** The window is refilled when fewer bytes than this are left. It is more than a block. */
const MIN_BYTES = 256 << 10

/** A part of a source in memory, which moves on with the requests. */
class SlidingWindow {
  readonly size: number
  readonly #source: ByteSource
  readonly #bytes: Buffer
  #start = 0
  #end = 0

  constructor(source: ByteSource, memory: Buffer) {
    this.#source = source
    this.size = source.size
    this.#bytes = memory
  }

  /** Up to `most` bytes from `at` on, but fewer at the window's end. Valid until the next call. */
  bytesFrom(at: number, most = WINDOW_BYTES): Buffer {
    const wanted = Math.min(most, this.#bytes.length, this.size - at)
    if (at < this.#start || at + Math.min(wanted, MIN_BYTES) > this.#end) this.#moveTo(at)
    return this.#bytes.subarray(
      at - this.#start,
      Math.min(this.#end - this.#start, at - this.#start + wanted),
    )
  }

  #moveTo(at: number): void {
    const kept = at >= this.#start && at < this.#end ? this.#end - at : 0
    if (kept > 0) this.#bytes.copy(this.#bytes, 0, at - this.#start, this.#end - this.#start)
    this.#start = at
    this.#end = at + kept + this.#source.read(this.#bytes.subarray(kept), at + kept)
  }
}
