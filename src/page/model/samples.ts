import type { Sample } from './picture.ts'

/** As many as a curve has pixels. */
const MAX_SAMPLES = 600

/** The course of a run in a bounded number of samples. When there are too many, every second one is dropped. */
export class Samples {
  readonly all: Sample[] = []
  #leastGapS = 0

  /** Whether the sample was kept. One that comes too soon is not, unless `always`. */
  add(sample: Sample, always = false): boolean {
    const last = this.all.at(-1)
    if (last && !always && sample.atS - last.atS < this.#leastGapS) return false
    this.all.push(sample)
    if (this.all.length > MAX_SAMPLES) this.#thin()
    return true
  }

  #thin(): void {
    const kept = this.all.filter((_, at) => at % 2 === 0 || at === this.all.length - 1)
    const [first, last] = [kept[0], kept.at(-1)]
    if (first && last) this.#leastGapS = (last.atS - first.atS) / kept.length
    this.all.splice(0, this.all.length, ...kept)
  }
}
