import { join } from 'node:path'
import type { Entry } from '../../files/entry.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { isKept } from '../../package/delta/base/kept-base.ts'
import { newKey } from '../../package/format/cipher.ts'
import type { Context } from '../context/context.ts'
import { basesDirectory } from '../paths/local-paths.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { deltaTransfer } from '../transfer/delta-transfer.ts'
import { packagePath, type Transfer } from '../transfer/transfer.ts'
import { type DeltaProcess, jobEntries, type Made, startDeltaProcess } from './delta-process.ts'
import { type BaseGroup, groupByBase } from './group-by-base.ts'
import { timeLimitMs } from './time-limit.ts'

/** The list of a release with more would take too much memory as text. */
const MAX_ENTRIES = 500_000
/** Most releases are kept long before they are everywhere. */
const KEEP_GRACE_MS = 30_000

/** A group of servers with one base, and where its delta is made. */
interface Wanted extends BaseGroup {
  directory: string
  key: string | undefined
}

/**
 * The deltas of one deploy: made beside the package, one for each base that servers have and this machine knows. A server gets its
 * delta where that is smaller than the package. When a delta fails, the package is sent.
 */
export class Deltas {
  readonly #context: Context
  readonly #bases: string
  readonly #wanted: readonly Wanted[]
  #release: { root: string; entries: readonly Entry[] } | undefined
  #process: DeltaProcess | undefined

  /** `directory`: of this deploy on the deploy host. */
  constructor(context: Context, facts: FleetFacts, directory: string) {
    const { settings, shipit } = context
    this.#context = context
    this.#bases = basesDirectory(shipit.environment)
    const groups = this.#isOn
      ? groupByBase(facts, (id) => isKept(this.#bases, id), moreSeeders(settings.ports))
      : []
    this.#wanted = groups.map((group, index) => ({
      ...group,
      directory: join(directory, `delta-${index}`),
      key: settings.encrypt ? newKey() : undefined,
    }))
  }

  /** Begins to make them of what is about to be packaged. */
  begin(root: string, entries: readonly Entry[]): void {
    if (entries.length > MAX_ENTRIES) return
    this.#release = { root, entries }
    if (this.#wanted.length === 0) return
    const deltas = this.#wanted.map(({ id, directory, key }) => ({
      id,
      output: packagePath(directory),
      ...(key !== undefined && { key }),
    }))
    const job = { do: 'make', root, entries: jobEntries(entries), bases: this.#bases, deltas } as const
    this.#process = startDeltaProcess(job)
  }

  /** The delta of each server that gets one: it was made in time, and is smaller than the package. */
  async choose(whole: Transfer): Promise<Map<Server, Transfer>> {
    const chosen = new Map<Server, Transfer>()
    if (!this.#process) return chosen
    const made = await this.#inTime(whole)
    for (const { base, becomes } of made) {
      const group = this.#wanted.find(({ id }) => id === base)
      if (!group) continue
      const { servers, directory, key } = group
      const wish = { directory, peers: servers.length, base: { id: base, becomes }, key }
      const delta = await deltaTransfer(this.#context, whole, wish).catch(() => undefined)
      if (delta && delta.length < whole.length) for (const server of servers) chosen.set(server, delta)
    }
    return chosen
  }

  /** What travels: the first is seeded at once, the package only when a server needs it. */
  inOrder(whole: Transfer, deltas: ReadonlyMap<Server, Transfer>): [Transfer, ...Transfer[]] {
    const needed = new Set(this.#context.fleet.servers.map((server) => deltas.get(server) ?? whole))
    const [first = whole, ...others] = new Set([...needed, whole])
    return [first, ...others]
  }

  /** Keeps the release for the next deploy, while this one goes on. */
  async keep(): Promise<void> {
    if (!this.#isOn || !this.#release) return
    const { root, entries } = this.#release
    const contentLimit = this.#context.settings.keepContent
    const job = { do: 'keep', root, entries: jobEntries(entries), bases: this.#bases, contentLimit } as const
    this.#process = startDeltaProcess(job, { isLow: true })
    await this.#process.ended
  }

  /** Waits for that a while at the end of a deploy: it is only worth something for the next one. */
  async end(kept: Promise<void>): Promise<void> {
    const timer = setTimeout(() => this.stop(), KEEP_GRACE_MS)
    await kept
    clearTimeout(timer)
  }

  /** Ends what still runs. */
  stop(): void {
    this.#process?.stop()
  }

  /** The seeder of a server would have to be brought the package and the deltas. */
  get #isOn(): boolean {
    const { deltas, seeder } = this.#context.settings
    return deltas && seeder === 'local'
  }

  async #inTime({ length }: Transfer): Promise<Made[]> {
    const running = this.#process as DeltaProcess
    const limitMs = timeLimitMs(length, this.#context.settings.uploadLimit)
    const timer = setTimeout(() => running.stop(), limitMs)
    const stop = () => running.stop()
    this.#context.signal.addEventListener('abort', stop, { once: true })
    try {
      return await running.ended
    } finally {
      clearTimeout(timer)
      this.#context.signal.removeEventListener('abort', stop)
    }
  }
}

/** How many seeders beside one these ports leave room for. */
const moreSeeders = ([first, last]: [number, number]): number =>
  last === 0 ? Number.POSITIVE_INFINITY : last - first
