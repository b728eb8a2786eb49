import { writeSync } from 'node:fs'
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSystemError, MurderError } from '../errors.ts'
import type { Metainfo } from './metainfo.ts'

/** Open files of one torrent at a time; descriptors are limited on servers. */
const MOST_OPEN = 128
/** Bytes: what is longer is not written at once, because it would hold up the network. */
const LONGEST_NOW = 1024 * 1024
/** A disk that made a short write wait for longer than this (ms) is left to the thread pool for a while (ms). */
const SLOW = 50
const SLOW_PAUSE = 1000

interface Stretch {
  path: string
  /** Where the file starts in the content, and its length. */
  start: number
  length: number
}

/** The content of a torrent on disk: one file or the files of a directory, addressed as one run of bytes. */
export class Storage {
  private readonly stretches: Stretch[]
  private readonly writable: boolean
  private readonly handles = new Map<string, Promise<FileHandle>>()
  /** Of `handles`, those that are open by now. */
  private readonly opened = new Map<string, FileHandle>()
  private slowUntil = 0

  constructor(metainfo: Pick<Metainfo, 'files' | 'singleFile'>, target: string, writable: boolean) {
    this.writable = writable
    let start = 0
    this.stretches = metainfo.files.map((file) => {
      const stretch = {
        path: metainfo.singleFile ? target : join(target, ...file.path),
        start,
        length: file.length,
      }
      start += file.length
      return stretch
    })
  }

  /** Makes every file, with its final length and holes where nothing is yet. Longer files are cut. */
  async prepare(): Promise<void> {
    for (const stretch of this.stretches) {
      await this.guard(stretch.path, async () => {
        await mkdir(dirname(stretch.path), { recursive: true })
        const handle = await this.handle(stretch.path)
        if ((await handle.stat()).size !== stretch.length) await handle.truncate(stretch.length)
      })
    }
  }

  /** Throws when a file is missing or has another length than the torrent says. */
  async checkLengths(): Promise<void> {
    for (const stretch of this.stretches) {
      const found = await stat(stretch.path).catch((error) => {
        throw translate(error, stretch.path)
      })
      if (!found.isFile() || found.size !== stretch.length) {
        throw new MurderError(
          'OTHER_CONTENT',
          `${stretch.path} is not what the torrent describes: ${found.isFile() ? `${found.size} bytes` : 'no file'}, not ${stretch.length} bytes`,
          { cure: 'make the torrent again from this content, or name the path it was made from' },
        )
      }
    }
  }

  /** Whether every file is there: if not, there is nothing to check against the hashes. */
  async exists(): Promise<boolean> {
    for (const stretch of this.stretches) {
      const found = await stat(stretch.path).catch(() => undefined)
      if (found && found.size > 0) return true
    }
    return false
  }

  async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length)
    await this.eachStretch(position, length, async (stretch, at, from, to) => {
      const handle = await this.handle(stretch.path)
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
    await this.eachStretch(position, buffer.length, async (stretch, at, from, to) => {
      const handle = await this.handle(stretch.path)
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
    const handle = stretch && this.opened.get(stretch.path)
    if (!handle || buffer.length > LONGEST_NOW) return false
    if (position + buffer.length > stretch.start + stretch.length) return false
    const started = performance.now()
    if (started < this.slowUntil) return false
    try {
      return writeSync(handle.fd, buffer, 0, buffer.length, position - stretch.start) === buffer.length
    } catch {
      return false
    } finally {
      const now = performance.now()
      if (now - started > SLOW) this.slowUntil = now + SLOW_PAUSE
    }
  }

  async close(): Promise<void> {
    const handles = [...this.handles.values()]
    this.handles.clear()
    this.opened.clear()
    await Promise.allSettled(handles.map(async (handle) => (await handle).close()))
  }

  private async eachStretch(
    position: number,
    length: number,
    visit: (stretch: Stretch, at: number, from: number, to: number) => Promise<void>,
  ): Promise<void> {
    const end = position + length
    for (let index = this.firstAt(position); index < this.stretches.length; index++) {
      const stretch = this.stretches[index] as Stretch
      if (stretch.start >= end) break
      const from = Math.max(position, stretch.start)
      const to = Math.min(end, stretch.start + stretch.length)
      if (to <= from) continue
      await this.guard(stretch.path, () =>
        visit(stretch, from - stretch.start, from - position, to - position),
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

  private handle(path: string): Promise<FileHandle> {
    const known = this.handles.get(path)
    if (known) {
      this.handles.delete(path)
      this.handles.set(path, known)
      return known
    }
    if (this.handles.size >= MOST_OPEN) {
      const [oldest] = this.handles
      if (oldest) {
        this.handles.delete(oldest[0])
        this.opened.delete(oldest[0])
        void oldest[1].then((handle) => handle.close()).catch(() => {})
      }
    }
    const opened = this.openFile(path)
    this.handles.set(path, opened)
    opened.then(
      (handle) => {
        if (this.handles.get(path) === opened) this.opened.set(path, handle)
      },
      () => this.handles.delete(path),
    )
    return opened
  }

  private async openFile(path: string): Promise<FileHandle> {
    if (!this.writable) return open(path, 'r')
    try {
      return await open(path, 'r+')
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
      return open(path, 'wx+', 0o600)
    }
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
