import { nameOf, parentOf } from '../../../files/entry.ts'
import type { Delivered } from '../format/manifest.ts'

/** A changed file is compared with at most so many files of the base. */
const MAX_CANDIDATES = 3
/** A file of another size is hardly another version. */
const MAX_SIZE_RATIO = 3

/**
 * Finds files of an earlier release of which a changed file may be a new version: the one at its path; one in the same directory
 * whose name differs only in a hash; one of the same name elsewhere; and the one nearest in size with the same directory and
 * ending.
 */
export class LikelyBases {
  readonly #base: readonly Delivered[]
  readonly #byPath = new Map<string, number>()
  readonly #byLikeness = new Map<string, number[]>()

  /** `kept` are the paths of the new release: a file that has a new version of its own is no likely base of another. */
  constructor(base: readonly Delivered[], kept: ReadonlySet<string>) {
    this.#base = base
    for (const [index, { path, type, size }] of base.entries()) {
      if (type !== 'file' || size === 0) continue
      this.#byPath.set(path, index)
      if (kept.has(path)) continue
      for (const key of likenesses(path)) {
        const found = this.#byLikeness.get(key)
        if (found) found.push(index)
        else this.#byLikeness.set(key, [index])
      }
    }
    for (const indices of this.#byLikeness.values()) indices.sort((a, b) => this.#sizeOf(a) - this.#sizeOf(b))
  }

  /** Indices of entries of the base, the likeliest first. */
  of({ path, size }: Delivered): number[] {
    const same = this.#byPath.get(path)
    if (same !== undefined) return [same]
    const found = new Set<number>()
    for (const key of likenesses(path))
      for (const index of this.#nearest(this.#byLikeness.get(key) ?? [], size)) found.add(index)
    return [...found].slice(0, MAX_CANDIDATES)
  }

  /** `indices` are sorted by size. */
  #nearest(indices: readonly number[], size: number): number[] {
    let low = 0
    for (let high = indices.length; low < high; ) {
      const middle = (low + high) >> 1
      if (this.#sizeOf(indices[middle]) < size) low = middle + 1
      else high = middle
    }
    const distance = (index: number) => Math.abs(Math.log(this.#sizeOf(index) / size))
    return indices
      .slice(Math.max(0, low - MAX_CANDIDATES), low + MAX_CANDIDATES)
      .filter((index) => distance(index) <= Math.log(MAX_SIZE_RATIO))
      .sort((a, b) => distance(a) - distance(b))
      .slice(0, MAX_CANDIDATES)
  }

  #sizeOf(index: number | undefined): number {
    return this.#base[index ?? -1]?.size ?? 0
  }
}

/** From the most to the least alike. */
function likenesses(path: string): string[] {
  const name = nameOf(path)
  const ending = name.slice(name.lastIndexOf('.') + 1)
  return [`${parentOf(path)}/${withoutHash(name)}`, withoutHash(name), `${parentOf(path)}/*.${ending}`]
}

/**
 * `app-3f2a9c1b.js`, `index.BX3k9a-f.css` and `chunk-ABCDEFGH.js` without what bundlers put into names: eight or more letters
 * before an ending, of which one is a digit or a capital.
 */
const withoutHash = (name: string): string => name.replace(/([-._])(?=[\w-]*[A-Z\d])[\w-]{8,64}(?=\.)/, '$1*')
