import type { Stats } from 'node:fs'
import { type FileHandle, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate as nextIteration } from 'node:timers/promises'
import { isSystemError, MurderError, reason } from '../../errors.ts'
import { makeDirectory } from '../../files/directories/make-directory.ts'
import type { Metainfo } from '../metainfo/metainfo.ts'
import { refuseFullDisk, roomFor } from './disk-space.ts'
import { mostOpenFiles, OpenFiles } from './open-files.ts'
import { isAsBefore, QuickDisk } from './quick-disk.ts'
import { refuseWrongDirectories, type Stretch, Survey } from './survey.ts'
import { makeUsable, openOwnToRead, openToRead, openToWrite, removeUnfilled } from './writable-file.ts'

/** After so many new files the event loop runs, for timers and signals. */
const FILES_PER_ITERATION = 200

/** The part of a range that lies in one file: its position in the file, and its start and end in the range. */
interface Part {
  index: number
  path: string
  at: number
  from: number
  to: number
}

export interface StorageOptions {
  /** Only the owner may use the new files and directories, until their attributes are set. Otherwise the umask decides. */
  ownerOnly?: boolean
  /** Files that are read from another place than the target, by their path in the torrent. */
  elsewhere?: Record<string, string>
}

/** The content of a torrent on disk: one file or the files of a directory, addressed as one run of bytes. */
export class Storage {
  readonly #stretches: Stretch[]
  /** The directory that holds everything. */
  readonly #top: string
  /** The directories below the target that hold files or symlinks, each after the one that holds it. */
  readonly #directories: string[]
  readonly #writable: boolean
  readonly #ownerOnly: boolean
  readonly #mostOpen = mostOpenFiles()
  readonly #files: OpenFiles
  readonly #quick = new QuickDisk()
  /** The files that `checkLengths` found, by the index of the stretch. */
  #atStart: (Stats | undefined)[] = []
  /** Files and directories that `prepare` has made, each after its parent directory. */
  readonly #created: string[] = []

  constructor(
    metainfo: Pick<Metainfo, 'files' | 'singleFile'> & Partial<Pick<Metainfo, 'links'>>,
    target: string,
    writable: boolean,
    { ownerOnly = false, elsewhere = {} }: StorageOptions = {},
  ) {
    this.#writable = writable
    this.#ownerOnly = ownerOnly
    this.#files = new OpenFiles(this.#mostOpen, (path, writing) => this.#openFile(path, writing))
    this.#top = metainfo.singleFile ? dirname(target) : target
    this.#directories = metainfo.singleFile
      ? []
      : directoriesOf(target, [...metainfo.files, ...(metainfo.links ?? [])])
    let start = 0
    this.#stretches = metainfo.files.map(({ path, length, padding = 0 }) => {
      start += padding
      const own = metainfo.singleFile ? target : join(target, ...path)
      const stretch = { path: elsewhere[path.join('/')] ?? own, start, length }
      start += length
      return stretch
    })
  }

  /** Mode of new files, less the umask. */
  get #mode(): number {
    return this.#ownerOnly ? 0o600 : 0o666
  }

  /** Looks at what is on disk already. */
  survey(): Promise<Survey> {
    return Survey.of(this.#stretches, !this.#writable)
  }

  /**
   * Makes every file with its final length, and with holes where nothing is yet. Longer files are cut, unless their rest may be
   * useful; then `cut` does it later. Returns what was there before. If something else is in a file's place, or the disk is full,
   * it throws and has changed nothing. `missing` counts the missing bytes by reading the files, because a file with many holes
   * cannot be estimated.
   */
  async prepare(missing?: (survey: Survey) => Promise<number>, { cuts = true } = {}): Promise<Survey> {
    const survey = await this.#guard(this.#top, () => this.#surveyToWrite())
    survey.refuseOtherKinds()
    await refuseFullDisk(this.#top, survey.bytesToWrite(), missing && (() => missing(survey)))
    const mode = this.#ownerOnly ? 0o700 : 0o777
    await this.#guard(this.#top, async () => this.#created.push(...makeDirectory(dirname(this.#top))))
    for (const path of [this.#top, ...this.#directories]) {
      await this.#guard(path, async () => this.#created.push(...makeDirectory(path, mode)))
      // It may be read-only, by the attributes that were set the last time.
      if (this.#ownerOnly) await this.#guard(path, () => makeUsable(path))
    }
    for (const [index, { path, length }] of this.#stretches.entries()) {
      if (index % FILES_PER_ITERATION === 0) await nextIteration()
      const size = survey.found[index]?.size ?? -1
      if (size === length || (size > length && !cuts)) continue
      const isNew = survey.found[index] === undefined
      if (isNew) this.#created.push(path)
      if (isNew && this.#stretches.length > this.#mostOpen && this.#quick.make(path, length, this.#mode))
        continue
      await this.#guard(path, () => this.#files.use(path, true, (handle) => handle.truncate(length)))
    }
    return survey
  }

  /** Cuts the files that were longer. */
  async cut(survey: Survey): Promise<void> {
    for (const [index, { path, length }] of this.#stretches.entries()) {
      if ((survey.found[index]?.size ?? 0) <= length) continue
      await this.#guard(path, () => this.#files.use(path, true, (handle) => handle.truncate(length)))
    }
  }

  async #surveyToWrite(): Promise<Survey> {
    const look = async () => {
      await refuseWrongDirectories(this.#directories)
      return this.survey()
    }
    try {
      return await look()
    } catch (error) {
      if (!this.#ownerOnly || !isSystemError(error, 'EACCES')) throw error
      // They may be closed to this user, by the attributes that were set the last time.
      for (const path of [this.#top, ...this.#directories]) await makeUsable(path)
      return look()
    }
  }

  /** Removes the files and directories that `prepare` made, if they are still empty. Call it only after `close`. */
  removeEmpty(): Promise<void> {
    return removeUnfilled(this.#created.splice(0).reverse())
  }

  /** Throws when a file is missing or has another length than the torrent says. */
  async checkLengths(): Promise<void> {
    const { found } = await this.survey()
    this.#atStart = found
    for (const [index, { path, length }] of this.#stretches.entries()) {
      const file = found[index]
      if (file?.isFile() && file.size === length) continue
      const is = !file ? 'it is missing' : file.isFile() ? `${file.size} bytes` : 'no file'
      throw new MurderError(
        'OTHER_CONTENT',
        `${path} is not what the torrent describes: ${is}, not ${length} bytes`,
        { cure: 'make the torrent again from this content, or name the path it was made from' },
      )
    }
  }

  /** A file of a range that is gone, or has another time or length than at the check of lengths. */
  async changedFile(position: number, length: number): Promise<string | undefined> {
    for (const { index, path } of this.#partsOf(position, length)) {
      const was = this.#atStart[index]
      if (!was || this.#quick.isAsBefore(path, was)) continue
      const now = await stat(path).catch(() => undefined)
      if (!now || !isAsBefore(now, was)) return path
    }
    return undefined
  }

  /** Whether, by the survey, any byte of a range may be here outside of holes. */
  hasBytes(survey: Survey, position: number, length: number): boolean {
    for (const { index, at } of this.#partsOf(position, length)) if (survey.hasBytes(index, at)) return true
    return false
  }

  /** Whether, by the survey, all bytes of a range are here, including holes. */
  isWhole(survey: Survey, position: number, length: number): boolean {
    for (const { index, at, from, to } of this.#partsOf(position, length))
      if (!survey.reaches(index, at + to - from)) return false
    return true
  }

  /** Indexes of the files that have bytes in a range. */
  *filesOf(position: number, length: number): Generator<number> {
    for (let index = this.#firstAt(position); index < this.#stretches.length; index++) {
      const stretch = this.#stretches[index] as Stretch
      if (stretch.start >= position + length) return
      if (stretch.start + stretch.length > position) yield index
    }
  }

  /** Fills `buffer` with the content from `position` on, and returns it. Gaps between files are zeros. */
  async read(position: number, buffer: Buffer): Promise<Buffer> {
    let filled = 0
    for (const part of this.#partsOf(position, buffer.length)) {
      buffer.fill(0, filled, part.from)
      filled = part.to
      const into = buffer.subarray(part.from, part.to)
      if (this.#quick.read(part.path, into, part.at, !this.#writable)) continue
      await this.#eachPart([part], false, (handle) => readAll(handle, into, part))
    }
    buffer.fill(0, filled)
    return buffer
  }

  write(position: number, buffer: Uint8Array): Promise<void> {
    return this.#eachPart(this.#partsOf(position, buffer.length), true, async (handle, { at, from, to }) => {
      for (let done = from; done < to; ) {
        const { bytesWritten } = await handle.write(buffer, done, to - done, at + done - from)
        done += bytesWritten
      }
    })
  }

  /**
   * Writes at once if that is quick: writing into the system's cache takes less time than the thread pool does (7 % of a peer's
   * CPU time). When it returns false, the caller must use `write`, which throws any error.
   */
  writeNow(position: number, buffer: Uint8Array): boolean {
    for (const { path, at, from, to } of this.#partsOf(position, buffer.length)) {
      const fd = this.#files.writableNow(path)
      if (!this.#quick.write(path, fd, buffer.subarray(from, to), at)) return false
    }
    return true
  }

  close(): Promise<void> {
    return this.#files.close()
  }

  async #eachPart(
    parts: Iterable<Part>,
    writing: boolean,
    visit: (handle: FileHandle, part: Part) => Promise<void>,
  ): Promise<void> {
    for (const part of parts) {
      await this.#guard(part.path, () => this.#files.use(part.path, writing, (handle) => visit(handle, part)))
    }
  }

  /** Where a range of the content is on disk, file by file. */
  *#partsOf(position: number, length: number): Generator<Part> {
    for (const index of this.filesOf(position, length)) {
      const { path, start, length: whole } = this.#stretches[index] as Stretch
      const first = Math.max(position, start)
      const last = Math.min(position + length, start + whole)
      yield { index, path, at: first - start, from: first - position, to: last - position }
    }
  }

  /** Index of the last stretch that begins at `position` or before it, by binary search. */
  #firstAt(position: number): number {
    let low = 0
    let high = this.#stretches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#stretches[middle] as Stretch).start <= position) low = middle
      else high = middle - 1
    }
    return Math.max(0, low)
  }

  #openFile(path: string, writing: boolean): Promise<FileHandle> {
    if (writing) return openToWrite(path, this.#mode)
    return this.#writable ? openOwnToRead(path) : openToRead(path)
  }

  async #guard<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isSystemError(error, 'ENOSPC', 'EDQUOT')) throw await this.#fullDisk(path, error)
      throw translate(error, path)
    }
  }

  async #fullDisk(path: string, cause: unknown): Promise<MurderError> {
    const { start = 0, length = 0 } = this.#stretches.at(-1) ?? {}
    const room = await roomFor(start + length, path)
    return new MurderError('DISK_FULL', `The disk is full: cannot write ${path}; the content takes ${room}`, {
      cure: 'free some space and run it again; what is here already is kept',
      cause,
    })
  }
}

function translate(error: unknown, path: string): unknown {
  if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'EISDIR', 'ENOTDIR', 'EEXIST')) {
    return new MurderError('NO_ACCESS', `Cannot use ${error.path ?? path}: ${reason(error)}`, {
      cure: isSystemError(error, 'EACCES', 'EPERM')
        ? 'name a path of this user, or make it once as root: sudo install -d -o <user> <path>'
        : 'check that the path exists, is of the right kind and that this user may use it',
      cause: error,
    })
  }
  return error
}

async function readAll(handle: FileHandle, into: Buffer, { path, at }: Part): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, at + done)
    if (bytesRead === 0) {
      throw new MurderError('OTHER_CONTENT', `${path} is shorter than it was`, {
        cure: 'do not change the content while it is shared',
      })
    }
    done += bytesRead
  }
}

/** Every directory below `target` that leads to a file or a symlink, outer ones first. */
function directoriesOf(target: string, files: { path: string[] }[]): string[] {
  const found = new Set<string>()
  for (const { path } of files) {
    for (let depth = 1; depth < path.length; depth++) found.add(join(target, ...path.slice(0, depth)))
  }
  return [...found].sort((a, b) => (a < b ? -1 : 1))
}
