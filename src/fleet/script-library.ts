import { sha256Of } from '../files/hash.ts'
import { quoteIfNeeded } from '../text/shell-quote.ts'
import { LIBRARY_HEAD, libraryLine } from './script-library-script.ts'

/** A part of a script: lines of the library from `first` to `last`, counted from 1, or a line that it lacks. */
type Part = { first: number; last: number } | string

/** In a library a repetition of fewer characters is not worth a reference. */
const LEAST_REPEATED = 40

/** Where a server keeps the library. */
export interface ServerLibrary {
  library: ScriptLibrary
  path: string
}

/**
 * The lines of which most scripts consist. A server keeps them in a file, so that a script travels as the numbers of its lines, and
 * only those lines are sent that have values in them.
 */
export class ScriptLibrary {
  /** Its lines come before the own ones. */
  readonly #base: ScriptLibrary | undefined
  readonly #lines: string[] = []
  readonly #places = new Map<string, number[]>()
  #sha256: string | undefined
  #line: string | undefined

  private constructor(base?: ScriptLibrary) {
    this.#base = base
  }

  /** A library with the lines of `samples`. Those with values in them are never named by a script, and do no harm. */
  static of(samples: readonly string[]): ScriptLibrary {
    const library = new ScriptLibrary()
    library.#add(LIBRARY_HEAD.split('\n'))
    // The head, which makes numbers of the lines, sees no empty ones.
    for (const sample of samples)
      library.#add(library.#lacking(sample, LEAST_REPEATED).filter((line) => line !== ''))
    return library
  }

  /** The file that servers keep. */
  get text(): string {
    return this.#lines.join('\n')
  }

  get sha256(): string {
    this.#sha256 ??= sha256Of(Buffer.from(this.text))
    return this.#sha256
  }

  /** The line of input for a server that asks for it. */
  get line(): string {
    this.#line ??= libraryLine(this.text)
    return this.#line
  }

  /** The library of a shell that has run `script` by its numbers: it knows those lines as well. */
  after(script: string): ScriptLibrary {
    const library = new ScriptLibrary(this)
    library.#add(this.#lacking(script))
    return library
  }

  /** A script of one line that is `script` in a shell that knows this library. */
  name(script: string): string {
    const words = this.#parts(script).map((part) => {
      if (typeof part === 'string') return quoteIfNeeded(`:${part}`)
      return part.first === part.last ? `${part.first}` : `${part.first}-${part.last}`
    })
    return `lib ${words.join(' ')}; eval "$lib"`
  }

  #lacking(script: string, least = 0): string[] {
    return this.#parts(script, least).filter((part) => typeof part === 'string')
  }

  #parts(script: string, least = 0): Part[] {
    const lines = script.split('\n')
    const parts: Part[] = []
    for (let at = 0; at < lines.length; ) {
      const { first, count } = this.#longest(lines, at)
      const isWorth = count > 0 && lines.slice(at, at + count).join('\n').length >= least
      parts.push(isWorth ? { first: first + 1, last: first + count } : (lines[at] as string))
      at += isWorth ? count : 1
    }
    return parts
  }

  /** The longest run of lines here that `lines` has from `at` on. */
  #longest(lines: readonly string[], at: number): { first: number; count: number } {
    let best = { first: 0, count: 0 }
    for (const first of this.#placesOf(lines[at] as string)) {
      let count = 1
      while (at + count < lines.length && lines[at + count] === this.#lineAt(first + count)) count++
      if (count > best.count) best = { first, count }
    }
    return best
  }

  #add(lines: readonly string[]): void {
    for (const line of lines) {
      const places = this.#places.get(line)
      if (places) places.push(this.#count)
      else this.#places.set(line, [this.#count])
      this.#lines.push(line)
    }
  }

  get #count(): number {
    return this.#lines.length + (this.#base ? this.#base.#count : 0)
  }

  #lineAt(at: number): string | undefined {
    if (this.#base && at < this.#base.#count) return this.#base.#lineAt(at)
    return this.#lines[at - (this.#base ? this.#base.#count : 0)]
  }

  #placesOf(line: string): readonly number[] {
    const own = this.#places.get(line) ?? []
    return this.#base ? [...this.#base.#placesOf(line), ...own] : own
  }
}
