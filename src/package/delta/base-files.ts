import { closeSync, fstatSync, readSync } from 'node:fs'
import { realDirectories } from '../../files/directories/real-directories.ts'
import { nameOf, parentOf, shown } from '../../files/entry.ts'
import { openToRead } from '../../files/open-to-read.ts'
import { baseChanged } from './format/errors.ts'
import type { Delivered, Manifest } from './format/manifest.ts'

/**
 * Files of an earlier release on this machine. Nothing outside it is ever read: a directory behind a symlink to elsewhere counts
 * as missing, and so does a file that is a symlink. All errors are BASE_CHANGED.
 */
export class BaseFiles {
  readonly #entries: readonly Delivered[]
  readonly #directoryOf: (path: string) => string | undefined
  #open: { index: number; fd: number } | undefined

  constructor(from: string, { entries }: Manifest) {
    this.#entries = entries
    this.#directoryOf = realDirectories(from)
  }

  /** Where the file is. */
  pathOf(index: number): string {
    const { path } = this.#entries[index] as Delivered
    const directory = this.#directoryOf(parentOf(path))
    if (directory === undefined) throw baseChanged(`${shown(path)} is missing`)
    return `${directory}/${nameOf(path)}`
  }

  /** Fills `into` with bytes of the file. */
  read(index: number, into: Buffer, position: number): void {
    const fd = this.#fdOf(index)
    for (let done = 0; done < into.length; ) {
      const length = readSync(fd, into, done, into.length - done, position + done)
      if (length === 0) throw baseChanged(`${this.#shown(index)} has become shorter`)
      done += length
    }
  }

  close(): void {
    if (this.#open) closeSync(this.#open.fd)
    this.#open = undefined
  }

  /** The last file stays open, because the next bytes usually come from it, too. */
  #fdOf(index: number): number {
    if (this.#open?.index === index) return this.#open.fd
    this.close()
    const path = this.pathOf(index)
    let fd: number
    try {
      fd = openToRead(path)
    } catch (cause) {
      throw baseChanged(`${this.#shown(index)} cannot be read`, cause)
    }
    this.#open = { index, fd }
    const stats = fstatSync(fd)
    if (!stats.isFile() || stats.size !== this.#entries[index]?.size)
      throw baseChanged(`${this.#shown(index)} has another size`)
    return fd
  }

  #shown(index: number): string {
    return shown(this.#entries[index]?.path ?? '')
  }
}
