import type { Entry } from '../../files/entry.ts'
import { type DeltaProcess, jobEntries, startDeltaProcess } from './delta-process.ts'

/** Most releases are kept long before they are everywhere. */
const KEEP_GRACE_MS = 30_000

/** Keeps the release as the base of the next ones, while it travels. */
export class BaseKeeper {
  readonly #bases: string
  readonly #contentLimit: number | undefined
  #release: { root: string; entries: readonly Entry[] } | undefined
  #process: DeltaProcess | undefined

  /** `contentLimit`: bytes, undefined to keep nothing at all. */
  constructor(bases: string, contentLimit: number | undefined) {
    this.#bases = bases
    this.#contentLimit = contentLimit
  }

  take(root: string, entries: readonly Entry[]): void {
    this.#release = { root, entries }
  }

  begin(): void {
    if (this.#contentLimit === undefined || !this.#release) return
    const { root, entries } = this.#release
    const job = { do: 'keep', root, entries: jobEntries(entries), bases: this.#bases } as const
    this.#process = startDeltaProcess({ ...job, contentLimit: this.#contentLimit }, { isLow: true })
  }

  /** Waits a while at the end of a deploy: it is only worth something for the next one. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.stop(), KEEP_GRACE_MS)
    await this.#process?.ended
    clearTimeout(timer)
  }

  stop(): void {
    this.#process?.stop()
  }
}
