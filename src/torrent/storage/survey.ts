import type { Stats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { isSystemError, MurderError } from '../../errors.ts'
import type { ContentLayout } from './content-layout.ts'

/** The files that are on disk in the places of a torrent's content. Reads no content. */
export class Survey {
  /** By the index of the stretch; undefined when nothing is there. */
  readonly found: (Stats | undefined)[]
  readonly #layout: ContentLayout

  private constructor(layout: ContentLayout, found: (Stats | undefined)[]) {
    this.#layout = layout
    this.found = found
  }

  /** `follow`: whether symlinks are followed. Throws the system's errors, except for missing files. */
  static async of(layout: ContentLayout, follow: boolean): Promise<Survey> {
    const look = follow ? stat : lstat
    const found: (Stats | undefined)[] = []
    for (const { path } of layout.stretches) {
      found.push(
        await look(path).catch((error) => {
          if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
          throw error
        }),
      )
    }
    return new Survey(layout, found)
  }

  /** Whether any byte of a range may be here outside of holes. A file without blocks is one hole. */
  hasBytes(position: number, length: number): boolean {
    for (const { index, at } of this.#layout.partsOf(position, length)) {
      const found = this.found[index]
      if (found?.isFile() && found.blocks > 0 && found.size > at) return true
    }
    return false
  }

  /** Whether all bytes of a range are here, including holes. */
  isWhole(position: number, length: number): boolean {
    for (const { index, at, from, to } of this.#layout.partsOf(position, length)) {
      const found = this.found[index]
      if (!found?.isFile() || found.size < at + to - from) return false
    }
    return true
  }

  /** Bytes that are still to be written. */
  bytesToWrite(): number {
    return this.#layout.stretches.reduce((sum, { length }, index) => {
      const { size = 0, blocks = 0 } = this.found[index] ?? {}
      return sum + Math.max(0, length - Math.min(size, blocks * 512))
    }, 0)
  }

  /** Throws for anything that must not be written to. Call it before changing anything. */
  refuseOtherKinds(): void {
    for (const [index, { path }] of this.#layout.stretches.entries()) {
      const found = this.found[index]
      if (!found || found.isFile()) continue
      if (found.isDirectory()) throw wrongKind(path, 'is a directory, but the torrent has a file there')
      if (found.isSymbolicLink())
        throw wrongKind(path, 'is a symlink, and nothing is written through a symlink')
      throw wrongKind(path, 'is neither a file nor a directory')
    }
  }
}

/** Throws unless each of these paths is a directory or missing. A symlink to a directory is not accepted. */
export async function refuseWrongDirectories(paths: Iterable<string>): Promise<void> {
  for (const path of paths) {
    const found = await lstat(path).catch((error) => {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    })
    if (!found || found.isDirectory()) continue
    throw found.isSymbolicLink()
      ? wrongKind(path, 'is a symlink, and nothing is written through a symlink')
      : wrongKind(path, 'is not a directory, but the torrent has one there')
  }
}

const wrongKind = (path: string, why: string) =>
  new MurderError('WRONG_KIND', `${path} ${why}`, { cure: 'remove it, or name another path' })
