import { readFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

const MAX_OPEN_FILES = 128
const MIN_OPEN_FILES = 4
/** Descriptors of Node itself, and of files that are open briefly besides the content. */
const RESERVED = 32

/**
 * How many files of the content may be open at a time, by `/proc/self/limits`. Half of a process's descriptors are for sockets.
 */
export function openFilesWithin(limits: string): number {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)
  return Math.max(MIN_OPEN_FILES, Math.min(MAX_OPEN_FILES, Math.floor((limit - RESERVED) / 2)))
}

/** The same for this process. Only Linux tells it. */
export function mostOpenFiles(): number {
  try {
    return openFilesWithin(readFileSync('/proc/self/limits', 'utf8'))
  } catch {
    return MAX_OPEN_FILES
  }
}

interface OpenFile {
  readonly path: string
  readonly writable: boolean
  readonly handle: Promise<FileHandle>
  /** Descriptor, once it is open. */
  fd: number | undefined
  users: number
  /** No longer in `#files`: its last user closes it. */
  retired: boolean
}

/**
 * Keeps at most `limit` files open between uses; one more use must wait. A file in use is never closed. A user must not ask for a
 * second file while it uses one: all users could wait for each other.
 */
export class OpenFiles {
  /** By path, the least recently used first. */
  readonly #files = new Map<string, OpenFile>()
  readonly #waiting: (() => void)[] = []
  /** Files in `#files`, and retired ones that are still in use. */
  #count = 0
  readonly #limit: number
  readonly #open: (path: string, writable: boolean) => Promise<FileHandle>

  constructor(limit: number, open: (path: string, writable: boolean) => Promise<FileHandle>) {
    this.#limit = limit
    this.#open = open
  }

  async use<T>(path: string, writing: boolean, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = await this.#take(path, writing)
    try {
      return await work(await file.handle)
    } finally {
      this.#giveBack(file)
    }
  }

  /** The descriptor of a file, if it is open for writing. Valid until the caller returns to the event loop. */
  writableNow(path: string): number | undefined {
    const file = this.#files.get(path)
    return file?.writable ? file.fd : undefined
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => this.#retire(file)))
  }

  async #take(path: string, writing: boolean): Promise<OpenFile> {
    for (;;) {
      const known = this.#files.get(path)
      if (known && (known.writable || !writing)) {
        known.users++
        this.#files.delete(path)
        this.#files.set(path, known)
        return known
      }
      // Opening for writing may replace the file (see `openToWrite`), so the old descriptor must not be used any more.
      if (known) void this.#retire(known)
      if (this.#count < this.#limit) return this.#opening(path, writing)
      const idle = [...this.#files.values()].find(({ users }) => users === 0)
      if (idle) await this.#retire(idle)
      else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #opening(path: string, writable: boolean): OpenFile {
    const handle = this.#open(path, writable)
    const file: OpenFile = { path, writable, handle, fd: undefined, users: 1, retired: false }
    this.#files.set(path, file)
    this.#count++
    handle.then(
      ({ fd }) => {
        file.fd = fd
      },
      () => void this.#retire(file),
    )
    return file
  }

  #giveBack(file: OpenFile): void {
    file.users--
    if (file.users > 0) return
    if (file.retired) void this.#end(file)
    else this.#waiting.shift()?.()
  }

  /** The file gets no new users, and its last user closes it. */
  async #retire(file: OpenFile): Promise<void> {
    if (file.retired) return
    file.retired = true
    if (this.#files.get(file.path) === file) this.#files.delete(file.path)
    if (file.users === 0) await this.#end(file)
  }

  /** A descriptor counts until it is closed. Errors of writing have been reported; closing has none to add. */
  async #end({ handle }: OpenFile): Promise<void> {
    await handle.then((open) => open.close()).catch(() => {})
    this.#count--
    this.#waiting.shift()?.()
  }
}
