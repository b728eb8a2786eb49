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
import { writeAll } from '../../../files/write-all.ts'
import type { Delivered } from '../format/manifest.ts'
import type { ByteSource } from '../match/byte-source.ts'
import { type Extent, extentsWithin, openExtents } from './extents.ts'

/** Beside the bases: what each of them has added, files one behind the other. A segment never changes. */
const SEGMENTS = '.content'
/** In a base: where its files are. */
const PLACES = 'extents'
/** Of a longer chain everything is copied once more. */
const MAX_SEGMENTS = 32
/** As when more than this share of the segments is of files that are no more. */
const MAX_DEAD_SHARE = 0.5

/** Where the content of a base's files is, by their SHA-256. */
export class KeptContent {
  readonly #directory: string
  readonly places: ReadonlyMap<string, readonly Extent[]>

  private constructor(directory: string, places: Iterable<[string, readonly Extent[]]>) {
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
    return new Set([...this.places.values()].flatMap((extents) => extents.map(([segment]) => segment)))
  }

  /** Undefined where it is not here, or is not here any more. */
  open({ sha256 = '', size }: Delivered): ByteSource | undefined {
    const extents = this.places.get(sha256)
    return extents && openExtents(extents, size, (segment) => segmentPath(this.#directory, segment))
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
  readonly #earlier: ReadonlyMap<string, readonly Extent[]>
  readonly #places = new Map<string, readonly Extent[]>()
  readonly #segment = randomBytes(8).toString('hex')
  #extents: Extent[] = []
  #fd: number | undefined
  #length = 0

  constructor(directory: string, earlier?: KeptContent) {
    this.#directory = directory
    this.#earlier = earlier?.places ?? new Map()
  }

  /** Whether the file's content is there already. */
  has({ sha256 = '' }: Delivered): boolean {
    if (this.#places.has(sha256)) return true
    const extents = this.#earlier.get(sha256)
    if (extents) this.#places.set(sha256, extents)
    return extents !== undefined
  }

  /** Whether parts of this file of the earlier base can be shared. */
  mayShare({ sha256 = '' }: Delivered): boolean {
    return this.#earlier.has(sha256)
  }

  /** What is written or shared next is this file's. */
  begin({ sha256 = '' }: Delivered): void {
    this.#extents = []
    this.#places.set(sha256, this.#extents)
  }

  write(bytes: Buffer): void {
    this.#fd ??= this.#create()
    writeAll(this.#fd, bytes)
    this.#add([this.#segment, this.#length, bytes.length])
    this.#length += bytes.length
  }

  /** The next bytes are those of a file of the earlier base. */
  share({ sha256 = '' }: Delivered, offset: number, length: number): void {
    for (const extent of extentsWithin(this.#earlier.get(sha256) ?? [], offset, length)) this.#add(extent)
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

  #add([segment, offset, length]: Extent): void {
    const last = this.#extents.at(-1)
    if (last?.[0] === segment && last[1] + last[2] === offset) last[2] += length
    else this.#extents.push([segment, offset, length])
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
