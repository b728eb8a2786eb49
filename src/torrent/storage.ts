import { writeSync } from 'node:fs'
import { type FileHandle, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSystemError, MurderError } from '../errors.ts'
import { refuseFullDisk } from './disk-space.ts'
import type { Metainfo } from './metainfo.ts'
import { OpenFiles } from './open-files.ts'
import { refuseWrongDirectories, type Stretch, Survey } from './survey.ts'
import { openToRead, openToWrite } from './writable-file.ts'

/** Open files of one torrent at a time; descriptors are limited on servers. */
const MOST_OPEN = 128
/** Bytes: what is longer is not written at once, because it would hold up the network. */
const LONGEST_NOW = 1024 * 1024
/** A disk that made a short write wait for longer than this (ms) is left to the thread pool for a while (ms). */
const SLOW = 50
const SLOW_PAUSE = 1000

export interface StorageOptions {
  /** Only the owner may use what is made, until its attributes are set. Otherwise the umask decides. */
  ownerOnly?: boolean
  /** Files that are read from another place than their own in the target, by their path in the torrent. */
  elsewhere?: Record<string, string>
}

/** The content of a torrent on disk: one file or the files of a directory, addressed as one run of bytes. */
export class Storage {
  private readonly stretches: Stretch[]
  /** The directory that holds everything. */
  private readonly top: string
  /** The directories below the target that hold files, each after the one that holds it. */
  private readonly directories: string[]
  private readonly writable: boolean
  private readonly ownerOnly: boolean
  private readonly files: OpenFiles
  private slowUntil = 0

  constructor(
    metainfo: Pick<Metainfo, 'files' | 'singleFile'>,
    target: string,
    writable: boolean,
    { ownerOnly = false, elsewhere = {} }: StorageOptions = {},
  ) {
    this.writable = writable
    this.ownerOnly = ownerOnly
    this.files = new OpenFiles(MOST_OPEN, (path, writing) => this.openFile(path, writing))
    this.top = metainfo.singleFile ? dirname(target) : target
    this.directories = metainfo.singleFile ? [] : directoriesOf(target, metainfo.files)
    let start = 0
    this.stretches = metainfo.files.map(({ path, length }) => {
      const own = metainfo.singleFile ? target : join(target, ...path)
      const stretch = { path: elsewhere[path.join('/')] ?? own, start, length }
      start += length
      return stretch
    })
  }

  /** What is there already. */
  survey(): Promise<Survey> {
    return Survey.of(this.stretches, !this.writable)
  }

  /**
   * Makes every file, with its final length and holes where nothing is yet; longer files are cut. Tells what was there
   * before. Nothing has been touched when it throws for something of another kind in a file's place, or a full disk.
   */
  async prepare(): Promise<Survey> {
    const survey = await this.guard(this.top, async () => {
      await refuseWrongDirectories(this.directories)
      return this.survey()
    })
    survey.refuseOtherKinds()
    await refuseFullDisk(this.top, survey.bytesToWrite())
    for (const path of [this.top, ...this.directories]) {
      await this.guard(path, () => mkdir(path, { recursive: true, mode: this.ownerOnly ? 0o700 : 0o777 }))
    }
    for (const [index, { path, length }] of this.stretches.entries()) {
      if (survey.found[index]?.size === length) continue
      await this.guard(path, () => this.files.use(path, true, (handle) => handle.truncate(length)))
    }
    return survey
  }

  /** Throws when a file is missing or has another length than the torrent says. */
  async checkLengths(): Promise<void> {
    const { found } = await this.survey()
    for (const [index, { path, length }] of this.stretches.entries()) {
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

  /** Whether all bytes of a range may be here, as `survey` saw it. */
  mayHold(survey: Survey, position: number, length: number): boolean {
    return survey.mayHold(this.firstAt(position), position, length)
  }

  /** Indexes of the files that have bytes in a range. */
  *filesOf(position: number, length: number): Generator<number> {
    for (let index = this.firstAt(position); index < this.stretches.length; index++) {
      const stretch = this.stretches[index] as Stretch
      if (stretch.start >= position + length) return
      if (stretch.start + stretch.length > position) yield index
    }
  }

  async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length)
    await this.eachStretch(position, length, false, async (handle, stretch, at, from, to) => {
      let done = from
      while (done < to) {
        const { bytesRead } = await handle.read(buffer, done, to - done, at + done - from)
        if (bytesRead === 0) {
          throw new MurderError('OTHER_CONTENT', `${stretch.path} is shorter than it was`, {
            cure: 'do not change the content while it is shared',
          })
        }
        done += bytesRead
      }
    })
    return buffer
  }

  async write(position: number, buffer: Uint8Array): Promise<void> {
    await this.eachStretch(position, buffer.length, true, async (handle, _stretch, at, from, to) => {
      let done = from
      while (done < to) {
        const { bytesWritten } = await handle.write(buffer, done, to - done, at + done - from)
        done += bytesWritten
      }
    })
  }

  /**
   * Writes at once if that is quick: into the system's cache it takes less than the way through the thread pool and
   * back (7 % of a peer's CPU time). Returns false when `write` is to do it, which also tells what is wrong.
   */
  writeNow(position: number, buffer: Uint8Array): boolean {
    const stretch = this.stretches[this.firstAt(position)]
    const fd = stretch && this.files.writableNow(stretch.path)
    if (!stretch || fd === undefined || buffer.length > LONGEST_NOW) return false
    if (position + buffer.length > stretch.start + stretch.length) return false
    const started = performance.now()
    if (started < this.slowUntil) return false
    try {
      return writeSync(fd, buffer, 0, buffer.length, position - stretch.start) === buffer.length
    } catch {
      return false
    } finally {
      const now = performance.now()
      if (now - started > SLOW) this.slowUntil = now + SLOW_PAUSE
    }
  }

  close(): Promise<void> {
    return this.files.close()
  }

  private async eachStretch(
    position: number,
    length: number,
    writing: boolean,
    visit: (handle: FileHandle, stretch: Stretch, at: number, from: number, to: number) => Promise<void>,
  ): Promise<void> {
    for (const index of this.filesOf(position, length)) {
      const stretch = this.stretches[index] as Stretch
      const from = Math.max(position, stretch.start)
      const to = Math.min(position + length, stretch.start + stretch.length)
      await this.guard(stretch.path, () =>
        this.files.use(stretch.path, writing, (handle) =>
          visit(handle, stretch, from - stretch.start, from - position, to - position),
        ),
      )
    }
  }

  /** Index of the stretch that holds `position`, by halving. */
  private firstAt(position: number): number {
    let low = 0
    let high = this.stretches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.stretches[middle] as Stretch).start <= position) low = middle
      else high = middle - 1
    }
    return Math.max(0, low)
  }

  private openFile(path: string, writing: boolean): Promise<FileHandle> {
    if (writing) return openToWrite(path, this.ownerOnly ? 0o600 : 0o666)
    return openToRead(path, !this.writable)
  }

  private async guard<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw translate(error, path)
    }
  }
}

function translate(error: unknown, path: string): unknown {
  if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
    return new MurderError('DISK_FULL', `The disk is full: cannot write ${path}`, {
      cure: 'free some space and run it again; what is here already is kept',
      cause: error,
    })
  }
  if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'EISDIR', 'ENOTDIR', 'EEXIST')) {
    return new MurderError('NO_ACCESS', `Cannot use ${path}: ${error.code}`, {
      cure: 'check that the path exists, is of the right kind and that this user may use it',
      cause: error,
    })
  }
  return error
}

/** Every directory that holds files, and what leads to it below `target`, outer ones first. */
function directoriesOf(target: string, files: Metainfo['files']): string[] {
  const found = new Set<string>()
  for (const { path } of files) {
    for (let depth = 1; depth < path.length; depth++) found.add(join(target, ...path.slice(0, depth)))
  }
  return [...found].sort((a, b) => (a < b ? -1 : 1))
}
