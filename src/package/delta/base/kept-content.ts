import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openToRead } from '../../../files/open-to-read.ts'
import { writeAll } from '../../../files/write-all.ts'
import type { Delivered } from '../format/manifest.ts'
import { type ByteSource, fileSource } from '../match/byte-source.ts'

/** Beside the bases: what each of them has added, files one behind the other. A segment never changes. */
const SEGMENTS = '.content'
/** In a base: where its files are. */
const PLACES = 'places'
/** Of a longer chain everything is copied once more. */
const MAX_SEGMENTS = 32
/** As when more than this share of the segments is of files that are no more. */
const MAX_DEAD_SHARE = 0.5

type Place = [segment: string, offset: number]

/** Where the content of a base's files is, by their SHA-256. */
export class KeptContent {
  readonly #directory: string
  readonly places: ReadonlyMap<string, Place>

  private constructor(directory: string, places: Iterable<[string, Place]>) {
    this.#directory = directory
    this.places = new Map(places)
  }

  /** Empty where none is kept. `directory`: of all bases. */
  static of(directory: string, id: string): KeptContent {
    try {
      return new KeptContent(directory, JSON.parse(readFileSync(join(directory, id, PLACES), 'utf8')))
    } catch {
      return new KeptContent(directory, [])
    }
  }

  get segments(): Set<string> {
    return new Set([...this.places.values()].map(([segment]) => segment))
  }

  /** Undefined where it is not here, or is not here any more. */
  open({ sha256 = '', size }: Delivered): ByteSource | undefined {
    const [segment, start] = this.places.get(sha256) ?? []
    if (segment === undefined || start === undefined) return undefined
    try {
      const whole = fileSource(openToRead(segmentPath(this.#directory, segment)), start + size)
      return { size, read: (into, at) => whole.read(into, start + at), close: () => whole.close() }
    } catch {
      return undefined
    }
  }

  /** Whether it is better to add to these segments, for a release of so many bytes, than to copy everything. */
  isWorthIt(releaseBytes: number): boolean {
    const { segments } = this
    if (segments.size === 0 || segments.size >= MAX_SEGMENTS) return false
    let kept = 0
    for (const segment of segments) {
      const stats = statSync(segmentPath(this.#directory, segment), { throwIfNoEntry: false })
      if (!stats) return false
      kept += stats.size
    }
    return kept * (1 - MAX_DEAD_SHARE) <= releaseBytes
  }
}

const segmentPath = (directory: string, name: string) => join(directory, SEGMENTS, name)

/** Adds content for a base to come: to what an earlier one has, or by itself. */
export class ContentWriter {
  readonly #directory: string
  readonly #earlier: ReadonlyMap<string, Place>
  readonly #places = new Map<string, Place>()
  readonly #segment = randomBytes(8).toString('hex')
  #fd: number | undefined
  #length = 0

  constructor(directory: string, earlier?: KeptContent) {
    this.#directory = directory
    this.#earlier = earlier?.places ?? new Map()
  }

  /** Whether the file's content is there already. */
  has({ sha256 = '' }: Delivered): boolean {
    if (this.#places.has(sha256)) return true
    const place = this.#earlier.get(sha256)
    if (place) this.#places.set(sha256, place)
    return place !== undefined
  }

  /** What is written next is this file's. */
  begin({ sha256 = '' }: Delivered): void {
    this.#places.set(sha256, [this.#segment, this.#length])
  }

  write(bytes: Buffer): void {
    this.#fd ??= this.#create()
    writeAll(this.#fd, bytes)
    this.#length += bytes.length
  }

  /** Notes the places in the base's directory. */
  end(base: string): void {
    this.close()
    writeFileSync(join(base, PLACES), JSON.stringify([...this.#places]), { flag: 'wx', mode: 0o600 })
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  /** Takes back what was added. */
  discard(): void {
    this.close()
    rmSync(segmentPath(this.#directory, this.#segment), { force: true })
  }

  #create(): number {
    mkdirSync(join(this.#directory, SEGMENTS), { recursive: true, mode: 0o700 })
    return openSync(segmentPath(this.#directory, this.#segment), 'wx', 0o600)
  }
}

/** Removes all content but that of this base. */
export function keepContentOf(directory: string, id: string, others: readonly string[]): void {
  for (const other of others) rmSync(join(directory, other, PLACES), { force: true })
  const { segments } = KeptContent.of(directory, id)
  for (const name of segmentsIn(directory))
    if (!segments.has(name)) rmSync(segmentPath(directory, name), { force: true })
}

function segmentsIn(directory: string): string[] {
  try {
    return readdirSync(join(directory, SEGMENTS))
  } catch {
    return []
  }
}
