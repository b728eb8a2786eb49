import type { Entry } from '../../files/entry.ts'
import type { KeepBase } from '../../protocol/delta-job.ts'
import { hashesFile } from '../paths/local-paths.ts'
import { type DeltaProcess, jobEntries, startDeltaProcess } from './delta-process.ts'

type MadeDelta = KeepBase['deltas'][number]

/** Most releases are kept long before every server has them. */
const KEEP_GRACE_MS = 30_000

/** Keeps the release as the base of the next ones, while it travels. */
export class BaseKeeper {
  readonly #bases: string
  readonly #contentLimit: number | undefined
  readonly #signal: AbortSignal
  #release: { root: string; entries: readonly Entry[] } | undefined
  #deltas: readonly MadeDelta[] = []
  #process: DeltaProcess | undefined

  /** `contentLimit`: bytes, undefined to keep nothing at all. */
  constructor(bases: string, contentLimit: number | undefined, signal: AbortSignal) {
    this.#bases = bases
    this.#signal = signal
    this.#contentLimit = contentLimit
  }

  take(root: string, entries: readonly Entry[]): void {
    this.#release = { root, entries }
  }

  /** Tells of deltas that were made. Their files must stay as long as the release's. */
  tell(deltas: readonly MadeDelta[]): void {
    this.#deltas = deltas
  }

  begin(): void {
    if (this.#contentLimit === undefined || !this.#release) return
    const { root, entries } = this.#release
    const [bases, hashes] = [this.#bases, hashesFile(this.#bases)]
    const job = {
      do: 'keep',
      root,
      entries: jobEntries(entries),
      bases,
      hashes,
      deltas: this.#deltas,
    } as const
    this.#process = startDeltaProcess({ isLow: true, signal: this.#signal })
    this.#process.begin({ ...job, contentLimit: this.#contentLimit })
  }

  /**
   * Waits until the release has been read; then it may be removed. The rest goes on for a while at most, because it only helps
   * the next deploy. Returns a promise to wait for at the end of the run.
   */
  async release(): Promise<{ kept: Promise<unknown> }> {
    const running = this.#process
    if (!running) return { kept: Promise.resolve() }
    const timer = setTimeout(running.stop, KEEP_GRACE_MS)
    await running.read
    this.#process = undefined
    return { kept: running.ended.then(() => clearTimeout(timer)) }
  }

  /** Ends it, unless it was released. */
  stop(): void {
    this.#process?.stop()
  }
}
