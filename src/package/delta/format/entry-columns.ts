import { type Entry, isAscii, MAX_PATH_BYTES, pathFault, shown } from '../../../files/entry.ts'
import { type ByteReader, ByteWriter } from '../../format/bytes.ts'
import type { Delivered } from './manifest.ts'

// Flags of an entry.
/** Path, type, and all omitted fields come from an entry of the base. */
const INHERITED = 1
/** Entries of the base before that one are skipped. Their number follows. */
const SKIPS = 2
const MODE = 4
/** A file's content, or a symlink's target, is written. */
const CONTENT = 8
/** The time is that of the base's entry. */
const SAME_TIME = 16
/** Two bits for the type, where it is not inherited. */
const TYPE_SHIFT = 5

const TYPES = ['file', 'directory', 'symlink'] as const
const USUAL_MODES = { file: 0o644, directory: 0o755, symlink: 0o777 } as const
const HASH_BYTES = 32

/** What both ends remember about the entries before. */
class Memory {
  readonly modes: Record<Entry['type'], number> = { ...USUAL_MODES }
  path: Buffer = Buffer.alloc(0)
  mtime = 0n
  /** The first entry of the base that may still be inherited. */
  cursor = 0
  /** The entry of the base after the one whose content was last referred to. */
  content = 0

  add(entry: Entry, path: Buffer): void {
    this.modes[entry.type] = entry.mode
    this.path = path
    this.mtime = entry.mtime
  }
}

/**
 * Entries as two columns of bytes, times and all else, which compress better apart. Fields that an entry shares with the base are
 * omitted: an unchanged entry costs one byte, which compresses to almost nothing.
 */
export class EntryWriter {
  readonly entries = new ByteWriter()
  readonly times = new ByteWriter()
  readonly #base: readonly Delivered[]
  readonly #byPath = new Map<string, number>()
  readonly #byContent = new Map<string, number>()
  readonly #memory = new Memory()

  constructor(base: readonly Delivered[]) {
    this.#base = base
    for (const [index, { path, sha256 }] of base.entries()) {
      this.#byPath.set(path, index)
      if (sha256 !== undefined && !this.#byContent.has(sha256)) this.#byContent.set(sha256, index)
    }
  }

  /** Whether the entry is a file whose content the base does not have, under any name. */
  write(entry: Delivered): boolean {
    const memory = this.#memory
    const at = this.#byPath.get(entry.path) ?? -1
    const same = at >= memory.cursor && this.#base[at]?.type === entry.type ? this.#base[at] : undefined
    const skipped = at - memory.cursor
    const tellsMode = entry.mode !== (same?.mode ?? memory.modes[entry.type])
    const tellsContent =
      entry.type !== 'directory' &&
      (!same || entry.sha256 !== same.sha256 || entry.size !== same.size || entry.linkname !== same.linkname)
    const keepsTime = same?.mtime === entry.mtime
    const flags =
      (same ? INHERITED : TYPES.indexOf(entry.type) << TYPE_SHIFT) |
      (same && skipped > 0 ? SKIPS : 0) |
      (tellsMode ? MODE : 0) |
      (tellsContent ? CONTENT : 0) |
      (keepsTime ? SAME_TIME : 0)
    this.entries.byte(flags)
    if (same && skipped > 0) this.entries.uint(skipped)
    const path = Buffer.from(entry.path)
    if (same) memory.cursor = at + 1
    else this.#writePath(path)
    if (tellsMode) this.entries.uint(entry.mode)
    if (!keepsTime) this.times.bigInt(entry.mtime - memory.mtime)
    memory.add(entry, path)
    return tellsContent && this.#writeContent(entry)
  }

  #writePath(path: Buffer): void {
    const { path: before } = this.#memory
    let shared = 0
    while (shared < path.length && path[shared] === before[shared]) shared++
    this.entries.uint(shared)
    this.entries.uint(path.length - shared)
    this.entries.bytes(path.subarray(shared))
  }

  #writeContent({ type, size, linkname = '', sha256 = '' }: Delivered): boolean {
    if (type === 'symlink') {
      const target = Buffer.from(linkname)
      this.entries.uint(target.length)
      this.entries.bytes(target)
      return false
    }
    const index = this.#byContent.get(sha256)
    if (index !== undefined && this.#base[index]?.size === size) {
      this.entries.byte(1)
      this.entries.int(index - this.#memory.content)
      this.#memory.content = index + 1
      return false
    }
    this.entries.byte(0)
    this.entries.uint(size)
    this.entries.bytes(Buffer.from(sha256, 'hex'))
    return size > 0
  }
}

export interface ToldEntry {
  entry: Delivered
  /** For a file: the entry of the base that has its content, or undefined when the content is new. */
  from: number | undefined
}

/** Reads an EntryWriter's output, which is not trusted. The columns may come in several runs. */
export class EntryReader {
  readonly #base: readonly Delivered[]
  readonly #broken: (why: string) => Error
  readonly #memory = new Memory()

  constructor(base: readonly Delivered[], broken: (why: string) => Error) {
    this.#base = base
    this.#broken = broken
  }

  read(entries: ByteReader, times: ByteReader): ToldEntry {
    const memory = this.#memory
    const flags = entries.byte()
    if (flags & SKIPS) memory.cursor += entries.uint(this.#base.length)
    const at = flags & INHERITED ? memory.cursor++ : -1
    const same = this.#base[at]
    if (flags & INHERITED && !same) throw this.#broken('it names an entry that the earlier release has not')
    const type = same?.type ?? TYPES[(flags >> TYPE_SHIFT) & 3]
    if (!type) throw this.#broken('an unknown type')
    const path = same ? Buffer.from(same.path) : this.#readPath(entries)
    const entry: Delivered = {
      path: same?.path ?? this.#checked(path),
      type,
      mode: flags & MODE ? entries.uint(0o7777) : (same?.mode ?? memory.modes[type]),
      mtime: flags & SAME_TIME && same ? same.mtime : this.#readTime(times),
      size: same?.size ?? 0,
    }
    const from =
      type === 'file' ? this.#readContent(entry, flags & CONTENT ? entries : undefined, at) : undefined
    if (type === 'symlink')
      entry.linkname = flags & CONTENT ? this.#readTarget(entries) : (same?.linkname ?? '')
    memory.add(entry, path)
    return { entry, from }
  }

  #readTime(times: ByteReader): bigint {
    const mtime = this.#memory.mtime + times.bigInt()
    if (BigInt.asIntN(64, mtime) !== mtime) throw this.#broken('an impossible time')
    return mtime
  }

  #readPath(entries: ByteReader): Buffer {
    const shared = entries.uint(this.#memory.path.length)
    const rest = entries.bytes(entries.uint(MAX_PATH_BYTES))
    return Buffer.concat([this.#memory.path.subarray(0, shared), rest])
  }

  #checked(bytes: Buffer): string {
    const path = this.#text(bytes)
    const fault = path === '.' ? undefined : pathFault(path)
    if (fault !== undefined) throw this.#broken(`the path ${shown(path)} ${fault}`)
    return path
  }

  #readTarget(entries: ByteReader): string {
    const target = this.#text(entries.bytes(entries.uint(MAX_PATH_BYTES)))
    if (target === '' || target.includes('\0')) throw this.#broken('an impossible link target')
    return target
  }

  #text(bytes: Buffer): string {
    const text = bytes.toString()
    if (!isAscii(text) && !Buffer.from(text).equals(bytes)) throw this.#broken('a name is not valid UTF-8')
    return text
  }

  /** Fills in size and hash of a file. */
  #readContent(entry: Delivered, told: ByteReader | undefined, same: number): number | undefined {
    let from = same
    if (told?.byte() === 0) {
      entry.size = told.uint()
      entry.sha256 = told.bytes(HASH_BYTES).toString('hex')
      return undefined
    }
    if (told) {
      from = this.#memory.content + told.int()
      this.#memory.content = from + 1
    }
    const { sha256, size } = this.#base[from] ?? {}
    if (sha256 === undefined || size === undefined)
      throw this.#broken('it names a file that the earlier release has not')
    entry.size = size
    entry.sha256 = sha256
    return from
  }
}
