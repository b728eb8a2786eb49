import { readDelta } from '../format/delta-reader.ts'
import type { Delivered, Manifest } from '../format/manifest.ts'
import { manifestOf } from '../format/manifest.ts'

/** A run of a new file's bytes. */
export interface SharedRun {
  length: number
  /** Where the base has the same bytes; undefined where they are new. `file` is an index in the base. */
  from?: { file: number; offset: number }
}

/** What is shared in shorter runs is cheaper to write again than to remember. */
const MIN_SHARED_BYTES = 64 << 10
/** A file of more runs counts as new. */
const MAX_RUNS = 4096

/**
 * What a release shares with its base, as the delta between them tells: the runs of each file whose content the base does not have
 * as a whole, by path. Throws BAD_DELTA. Empty when the delta makes another release than `id`.
 */
export async function sharedRuns(
  parts: AsyncIterable<Buffer>,
  base: Manifest,
  id: string,
): Promise<Map<string, SharedRun[]>> {
  const found = new Map<string, SharedRun[]>()
  const entries: Delivered[] = []
  let runs = new Runs()
  for await (const step of readDelta(parts, base)) {
    if (step.do === 'entry') {
      entries.push(step.entry)
      runs = new Runs()
      if (step.entry.type === 'file' && step.from === undefined) found.set(step.entry.path, runs.all)
    } else if (step.do === 'copy' && !step.differences) runs.shared(step.file, step.offset, step.length)
    else runs.fresh(step.do === 'literal' ? step.bytes.length : step.length)
  }
  return manifestOf(entries).id === id ? found : new Map()
}

/** Joins what follows each other. */
class Runs {
  readonly all: SharedRun[] = []

  shared(file: number, offset: number, length: number): void {
    const last = this.all.at(-1)
    if (last?.from?.file === file && last.from.offset + last.length === offset) last.length += length
    else {
      this.#settle()
      this.all.push({ length, from: { file, offset } })
    }
  }

  fresh(length: number): void {
    this.#settle()
    const last = this.all.at(-1)
    if (last && !last.from) last.length += length
    else this.all.push({ length })
  }

  /** Takes the last run as new if it is short. */
  #settle(): void {
    const last = this.all.at(-1)
    const isMany = this.all.length >= MAX_RUNS
    if (!last?.from || (last.length >= MIN_SHARED_BYTES && !isMany)) return
    this.all.pop()
    const before = this.all.at(-1)
    if (before && !before.from) before.length += last.length
    else this.all.push({ length: last.length })
  }
}
