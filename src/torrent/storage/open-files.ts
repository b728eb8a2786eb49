import type { FileHandle } from 'node:fs/promises'

interface OpenFile {
  readonly path: string
  readonly writable: boolean
  readonly handle: Promise<FileHandle>
  /** Descriptor, once it is open. */
  fd: number | undefined
  users: number
  /** Another one has taken its place: closed by its last user. */
  retired: boolean
}

/**
 * Files kept open between uses, `limit` at most; who needs one more waits. A file is only closed when nobody uses it.
 * Nobody may ask for a second file while using one: all could wait for each other.
 */
export class OpenFiles {
  /** By path, the least recently used first. */
  readonly #files = new Map<string, OpenFile>()
  readonly #waiting: (() => void)[] = []
  /** Those in `files`, and those that are retired and still used. */
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

  /** Descriptor of a file that is open for writing by now. Good until the caller returns to the event loop. */
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
      // Opened for writing a file may become another one (a hard link is replaced): nobody keeps the old one.
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

  /** Nobody gets it any more; its last user closes it. */
  async #retire(file: OpenFile): Promise<void> {
    if (file.retired) return
    file.retired = true
    if (this.#files.get(file.path) === file) this.#files.delete(file.path)
    if (file.users === 0) await this.#end(file)
  }

  /** A descriptor counts until it is closed. Writing has reported what was wrong; closing has nothing to add. */
  async #end({ handle }: OpenFile): Promise<void> {
    await handle.then((open) => open.close()).catch(() => {})
    this.#count--
    this.#waiting.shift()?.()
  }
}
