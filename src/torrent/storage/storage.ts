import type { Stats } from 'node:fs'
import { type FileHandle, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as nextIteration } from 'node:timers/promises'
import { isSystemError, MurderError } from '../../errors.ts'
import { makeDirectory } from '../../files/directories/make-directory.ts'
import type { Metainfo } from '../metainfo/metainfo.ts'
import { ContentLayout, type Part } from './content-layout.ts'
import { diskError } from './disk-errors.ts'
import { refuseFullDisk } from './disk-space.ts'
import { mostOpenFiles, OpenFiles } from './open-files.ts'
import { isAsBefore, QuickDisk } from './quick-disk.ts'
import { refuseWrongDirectories, Survey } from './survey.ts'
import { makeUsable, openOwnToRead, openToRead, openToWrite, removeUnfilled } from './writable-file.ts'

/** After so many new files the event loop runs, for timers and signals. */
const FILES_PER_ITERATION = 200

export interface StorageOptions {
  /** Only the owner may use the new files and directories, until their attributes are set. Otherwise the umask decides. */
  ownerOnly?: boolean
  /** Files that are read from another place than the target, by their path in the torrent. */
  elsewhere?: Record<string, string>
}

/** The content of a torrent on disk: makes its files, reads and writes them. */
export class Storage {
  readonly layout: ContentLayout
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
    this.layout = new ContentLayout(metainfo, target, elsewhere)
  }

  /** Mode of new files, less the umask. */
  get #mode(): number {
    return this.#ownerOnly ? 0o600 : 0o666
  }

  /** Looks at what is on disk already. */
  survey(): Promise<Survey> {
    return Survey.of(this.layout, !this.#writable)
  }

  /**
   * Makes every file with its final length, and with holes where nothing is yet. Longer files are cut, unless their rest may be
   * useful; then `cut` does it later. Returns what was there before. If something else is in a file's place, or the disk is full,
   * it throws and has changed nothing. `missing` counts the missing bytes by reading the files, because a file with many holes
   * cannot be estimated.
   */
  async prepare(missing?: (survey: Survey) => Promise<number>, { cuts = true } = {}): Promise<Survey> {
    const survey = await this.#guard(this.layout.top, () => this.#surveyToWrite())
    survey.refuseOtherKinds()
    await refuseFullDisk(this.layout.top, survey.bytesToWrite(), missing && (() => missing(survey)))
    const mode = this.#ownerOnly ? 0o700 : 0o777
    await this.#guard(this.layout.top, async () =>
      this.#created.push(...makeDirectory(dirname(this.layout.top))),
    )
    for (const path of [this.layout.top, ...this.layout.directories]) {
      await this.#guard(path, async () => this.#created.push(...makeDirectory(path, mode)))
      // It may be read-only, by the attributes that were set the last time.
      if (this.#ownerOnly) await this.#guard(path, () => makeUsable(path))
    }
    for (const [index, { path, length }] of this.layout.stretches.entries()) {
      if (index % FILES_PER_ITERATION === 0) await nextIteration()
      const size = survey.found[index]?.size ?? -1
      if (size === length || (size > length && !cuts)) continue
      const isNew = survey.found[index] === undefined
      if (isNew) this.#created.push(path)
      if (
        isNew &&
        this.layout.stretches.length > this.#mostOpen &&
        this.#quick.make(path, length, this.#mode)
      )
        continue
      await this.#guard(path, () => this.#files.use(path, true, (handle) => handle.truncate(length)))
    }
    return survey
  }

  /** Cuts the files that were longer. */
  async cut(survey: Survey): Promise<void> {
    for (const [index, { path, length }] of this.layout.stretches.entries()) {
      if ((survey.found[index]?.size ?? 0) <= length) continue
      await this.#guard(path, () => this.#files.use(path, true, (handle) => handle.truncate(length)))
    }
  }

  async #surveyToWrite(): Promise<Survey> {
    const look = async () => {
      await refuseWrongDirectories(this.layout.directories)
      return this.survey()
    }
    try {
      return await look()
    } catch (error) {
      if (!this.#ownerOnly || !isSystemError(error, 'EACCES')) throw error
      // They may be closed to this user, by the attributes that were set the last time.
      for (const path of [this.layout.top, ...this.layout.directories]) await makeUsable(path)
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
    for (const [index, { path, length }] of this.layout.stretches.entries()) {
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
    for (const { index, path } of this.layout.partsOf(position, length)) {
      const was = this.#atStart[index]
      if (!was || this.#quick.isAsBefore(path, was)) continue
      const now = await stat(path).catch(() => undefined)
      if (!now || !isAsBefore(now, was)) return path
    }
    return undefined
  }

  /** Fills `buffer` with the content from `position` on, and returns it. Gaps between files are zeros. */
  async read(position: number, buffer: Buffer): Promise<Buffer> {
    let filled = 0
    for (const part of this.layout.partsOf(position, buffer.length)) {
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
    return this.#eachPart(
      this.layout.partsOf(position, buffer.length),
      true,
      async (handle, { at, from, to }) => {
        for (let done = from; done < to; ) {
          const { bytesWritten } = await handle.write(buffer, done, to - done, at + done - from)
          done += bytesWritten
        }
      },
    )
  }

  /**
   * Writes at once if that is quick: writing into the system's cache takes less time than the thread pool does (7 % of a peer's
   * CPU time). When it returns false, the caller must use `write`, which throws any error.
   */
  writeNow(position: number, buffer: Uint8Array): boolean {
    for (const { path, at, from, to } of this.layout.partsOf(position, buffer.length)) {
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

  #openFile(path: string, writing: boolean): Promise<FileHandle> {
    if (writing) return openToWrite(path, this.#mode)
    return this.#writable ? openOwnToRead(path) : openToRead(path)
  }

  async #guard<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw await diskError(error, path, this.layout.length)
    }
  }
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
