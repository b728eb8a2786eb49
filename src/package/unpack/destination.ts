import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { BlockSharing } from '../../files/block-sharing.ts'
import { shareBlocks } from '../../files/copy-file.ts'
import { type Entry, parentOf } from '../../files/entry.ts'
import { unwritable } from '../../files/file-errors.ts'
import { linkerBetween } from '../../files/link-or-copy.ts'
import { setLinkTimes, setTimes, settable } from '../../files/times.ts'
import { writeAll } from '../../files/write-all.ts'
import { refused } from '../format/archive-entry.ts'

/** A file being written, in order. */
interface OpenFile {
  entry: Entry
  fd: number
  written: number
}

/**
 * Makes entries below a directory that it creates itself, so that everything in it is known. Each path is made once, only in a
 * directory that was made here before, and never through a symlink. Modes and times are exact, whatever the umask; those of
 * directories are set last, by `finish`. Errors are PACKAGE_REFUSED, DISK_FULL and NOT_WRITABLE.
 */
export class Destination {
  readonly #root: string
  readonly #made = new Map<string, Entry['type']>()
  readonly #directories: Entry[] = []
  #file: OpenFile | undefined
  #link: ReturnType<typeof linkerBetween> | undefined
  readonly #sharing = new BlockSharing()

  constructor(root: string) {
    this.#root = root
    this.#do('.', () => mkdirSync(root, { mode: 0o700 }))
    this.#made.set('.', 'directory')
  }

  directory(entry: Entry): void {
    this.#directories.push(entry)
    if (entry.path === '.' && this.#directories.length === 1) return
    this.#add(entry)
    this.#do(entry.path, (path) => mkdirSync(path, { mode: 0o700 }))
  }

  symlink(entry: Entry): void {
    this.#add(entry)
    this.#do(entry.path, (path) => {
      symlinkSync(entry.linkname ?? '', path)
      setLinkTimes(path, entry.mtime)
    })
  }

  /**
   * Starts a file; `write` and `endFile` then apply to it. If the file system can share blocks, the file starts with the content
   * of the regular file at `source`. Returns whether it does.
   */
  startFile(entry: Entry, source?: string): boolean {
    this.#add(entry)
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
    let isShared = false
    this.#do(entry.path, (path) => {
      isShared = source !== undefined && this.#sharing.try(path, () => shareBlocks(source, path))
      const fd = openSync(path, O_WRONLY | O_NOFOLLOW | (isShared ? 0 : O_CREAT | O_EXCL), 0o600)
      this.#file = { entry, fd, written: 0 }
    })
    return isShared
  }

  write(chunk: Buffer): void {
    const file = this.#file as OpenFile
    this.#do(file.entry.path, () => writeAll(file.fd, chunk))
    file.written += chunk.length
  }

  endFile(): void {
    const { entry, fd } = this.#file as OpenFile
    this.#do(entry.path, () => {
      // Writing clears setuid and setgid, so the mode comes after the content.
      fchmodSync(fd, entry.mode)
      const time = settable(entry.mtime)
      futimesSync(fd, time, time)
    })
    this.close()
  }

  /** Makes a file from the regular file at `source`: a hard link where that is equivalent, else a copy. */
  async adopt(entry: Entry, source: string): Promise<void> {
    this.#add(entry)
    const path = this.#full(entry.path)
    try {
      this.#link ??= linkerBetween(dirname(source), this.#root)
      await this.#link(source, path)
    } catch (cause) {
      throw unwritable(path, cause)
    }
    this.#do(entry.path, (path) => {
      setTimes(path, entry.mtime)
      chmodSync(path, entry.mode)
    })
  }

  /** Writes `REVISION`, and replaces one that the release may contain. */
  revision(revision: string): void {
    if (this.#made.get('REVISION') === 'directory') throw refused('REVISION', 'is a directory')
    this.#do('REVISION', (path) => {
      rmSync(path, { force: true })
      writeFileSync(path, `${revision}\n`, { flag: 'wx' })
      chmodSync(path, 0o644)
    })
  }

  /** Sets modes and times of the directories, the deepest first, when nothing more is made in them. */
  finish(): void {
    // Archives of other makers may lack the release directory itself.
    if (this.#directories[0]?.path !== '.') this.#do('.', (path) => chmodSync(path, 0o755))
    for (const entry of this.#directories.reverse())
      this.#do(entry.path, (path) => {
        setTimes(path, entry.mtime)
        chmodSync(path, entry.mode)
      })
  }

  /** The entry that was made at `path`. */
  typeAt(path: string): Entry['type'] | undefined {
    return this.#made.get(path)
  }

  get root(): string {
    return this.#root
  }

  /** Closes what is still open. */
  close(): void {
    if (!this.#file) return
    const { fd } = this.#file
    this.#file = undefined
    closeSync(fd)
  }

  #add(entry: Entry): void {
    const parent = this.#made.get(parentOf(entry.path))
    if (parent === undefined) throw refused(entry.path, 'comes before the directory that holds it')
    if (parent !== 'directory') throw refused(entry.path, `would be written through a ${parent}`)
    if (this.#made.has(entry.path)) throw refused(entry.path, 'is in it twice')
    this.#made.set(entry.path, entry.type)
  }

  /** `path` needs no normalization, because an entry's path has been checked. */
  #full(path: string): string {
    return path === '.' ? this.#root : `${this.#root}/${path}`
  }

  #do(path: string, work: (path: string) => void): void {
    const full = this.#full(path)
    try {
      work(full)
    } catch (cause) {
      throw unwritable(full, cause)
    }
  }
}
