import { statSync } from 'node:fs'
import { explain } from '../../errors.ts'
import type { Entry } from '../../files/entry.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { defined } from '../../system/defined.ts'
import { nameSome } from '../../text/format.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { basesDirectory, hashesFile } from '../paths/local-paths.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { deltaTransfer, MAX_CONTENT_BYTES } from '../transfer/delta-transfer.ts'
import { packageProgress } from '../transfer/make-transfer.ts'
import { packagePath, type Transfer } from '../transfer/transfer.ts'
import type { WholePackage } from '../transfer/whole-package.ts'
import { BaseKeeper } from './base-keeper.ts'
import { type Answer, type DeltaProcess, jobEntries, startDeltaProcess } from './delta-process.ts'
import { fetchSignature, type Peers } from './fetch-signature.ts'
import { groupByBase } from './group-by-base.ts'
import { isClearlySmaller, isSurelyNeeded, type Made, smallestDeltas } from './need-whole.ts'
import { Served } from './served.ts'
import { timeLimitMs, within } from './time-limit.ts'
import { outputOf, type WantedDelta, wantedDeltas } from './wanted-delta.ts'

/** The list of a larger release would take too much memory as text. */
const MAX_ENTRIES = 500_000
/** Servers that are named in a line. */
const MAX_NAMES = 5
const TOO_LATE = 'a delta would take longer'

export interface Chosen {
  deltas: ReadonlyMap<Server, Transfer>
  /** Id of the release that deltas make. A package that is made later must have the same id. */
  becomes?: string
}

/**
 * The deltas of one deploy: one for each base that servers have. This machine knows the base, or one of the servers describes it.
 * A server gets its smallest delta if that is smaller than the package. If a delta fails, the server gets the package, which is
 * made only when a server needs it. A staged release is a base, too: if only times differ, its delta is tiny.
 */
export class Deltas {
  readonly keeper: BaseKeeper
  readonly #context: TaskContext
  readonly #facts: FleetFacts
  readonly #peers: Peers
  readonly #bases: string
  readonly #wanted: readonly WantedDelta[]
  /** If false, only a staged release is used as a base, and only when it has the same content. */
  readonly #isOn: boolean
  /** If false, a delta must be small enough to go with the order. */
  readonly #maySeed: boolean
  readonly #over = new AbortController()
  readonly #making: { wanted: readonly WantedDelta[]; made: Promise<Answer[]> }[] = []
  readonly #served: Served
  /** Makes the deltas whose bases this machine knows. It gets ready while the release is listed. */
  readonly #ready: DeltaProcess | undefined

  /** `directory`: of this deploy on the deploy host. `peers`: the agents that run on servers or will do so. */
  constructor(
    context: TaskContext & Pick<Context, 'staging'>,
    facts: FleetFacts,
    directory: string,
    peers: Peers = new Map(),
  ) {
    const { settings, shipit } = context
    const isOn = settings.deltas
    const most = moreSeeders(settings.ports)
    this.#maySeed = most > 0
    this.#isOn = isOn && this.#maySeed
    const bases = basesDirectory(shipit.environment)
    this.#bases = bases
    this.#context = context
    this.#facts = facts
    this.#served = new Served(() => context.fleet.servers)
    this.#peers = peers
    this.keeper = new BaseKeeper(
      bases,
      isOn || context.staging ? settings.keepContent : undefined,
      context.signal,
    )
    const groups = groupByBase(facts, Math.max(most, 1), { deltas: this.#isOn })
    this.#wanted = wantedDeltas(groups, { directory, bases, encrypt: settings.encrypt })
    if (this.#wanted.some(({ isKept }) => isKept)) this.#ready = this.#startProcess()
  }

  /** Starts to make the deltas of the release that is deployed. */
  begin(root: string, entries: readonly Entry[]): void {
    if (entries.length > MAX_ENTRIES) return
    this.keeper.take(root, entries)
    const [known, unknown] = [true, false].map((is) => this.#wanted.filter(({ isKept }) => isKept === is))
    const make = (
      wanted: readonly WantedDelta[],
      { begin, ended } = this.#startProcess(),
    ): Promise<Answer[]> => {
      const deltas = wanted.map((each) => ({ ...outputOf(each), bases: each.bases }))
      const hashes = hashesFile(this.#bases)
      begin({ do: 'make', root, entries: jobEntries(entries), hashes, deltas })
      return ended
    }
    if (known && known.length > 0) this.#making.push({ wanted: known, made: make(known, this.#ready) })
    const size = entries.reduce((sum, entry) => sum + entry.size, 0)
    for (const wanted of unknown ?? []) {
      const asked = fetchSignature(this.#context, wanted, {
        facts: this.#facts,
        peers: this.#peers,
        size,
        signal: this.#signal,
      })
      // Each has a process of its own, because a server may lie.
      const unmade = (error: unknown): Answer[] => [
        { event: 'unmade', base: wanted.id, message: explain(error) },
      ]
      this.#making.push({ wanted: [wanted], made: asked.then(() => make([wanted]), unmade) })
    }
  }

  /**
   * The delta of each server that gets one: made in time, and smaller than the package. Makes the package now, unless all servers
   * get a delta that is clearly smaller.
   */
  async choose(whole: WholePackage): Promise<Chosen> {
    const answers = await this.#inTime(whole)
    this.keeper.tell(this.#wanted.filter(({ id }) => isMade(answers, id)).map(outputOf))
    const made: Made[] = []
    for (const wanted of this.#wanted) {
      const answer = answers.find(({ base }) => base === wanted.id)
      const delta = answer?.event === 'made' ? await this.#transfer(whole, wanted, answer) : undefined
      if (delta && this.#isUsable(delta)) made.push({ servers: wanted.servers, delta })
    }
    const becomes = made[0]?.delta.base?.becomes
    const smallest = smallestDeltas(made)
    for (const { id, servers } of this.#wanted) {
      const answer = answers.find(({ base }) => base === id)
      const without = servers.filter((server) => !smallest.has(server))
      if (answer?.event !== 'made') this.#sayWhole(without, answer?.message ?? TOO_LATE)
    }
    const needsNone = this.#context.fleet.servers.every((server) => {
      const delta = smallest.get(server)
      return delta && isClearlySmaller(delta.length, whole.plan.estimatedBytes)
    })
    if (needsNone) await whole.abandon()
    else await this.#make(whole, becomes)
    const length = whole.made?.length ?? Number.POSITIVE_INFINITY
    const deltas = new Map([...smallest].filter(([, delta]) => delta.length < length))
    return { deltas, ...defined({ becomes }) }
  }

  /** Ends what still runs. */
  stop(): void {
    this.#over.abort()
    this.keeper.stop()
  }

  #startProcess(): DeltaProcess {
    return startDeltaProcess({ signal: this.#signal, onAnswer: (answer) => this.#noteSmall(answer) })
  }

  get #signal(): AbortSignal {
    return AbortSignal.any([this.#context.signal, this.#over.signal])
  }

  #isUsable({ base, content }: Transfer): boolean {
    return (this.#isOn || base?.unchanged === true) && (this.#maySeed || content !== undefined)
  }

  /** Starts to make the package as soon as a server is known to get no delta. */
  #makeWhereNone(whole: WholePackage): void {
    const left = new Set(this.#wanted)
    for (const { wanted, made } of this.#making) {
      void made.then((answers) => {
        for (const each of wanted)
          if (!answers.some(({ event, base }) => event === 'made' && base === each.id)) left.delete(each)
        if (!isSurelyNeeded(this.#context.fleet.servers, [...left])) return
        this.#make(whole).catch(() => undefined) // Whoever awaits the package gets the same failure.
      })
    }
  }

  #make(whole: WholePackage, becomes?: string): Promise<Transfer> {
    return whole.make({ onProgress: packageProgress(this.#context), ...defined({ id: becomes }) })
  }

  #transfer(
    { plan }: WholePackage,
    { servers, directory, key }: WantedDelta,
    { base: id, becomes, unchanged }: Answer & { event: 'made' },
  ): Promise<Transfer | undefined> {
    const spec = { directory, peers: servers.length, base: { id, becomes, unchanged }, key }
    return deltaTransfer(this.#context, plan, spec).catch(() => undefined)
  }

  /** Servers of which all have a delta that goes with the order need no other one. */
  #noteSmall(answer: Answer): void {
    const wanted = this.#wanted.find(({ id }) => id === answer.base)
    if (answer.event !== 'made' || !wanted || (!this.#isOn && !answer.unchanged)) return
    if (statSync(packagePath(wanted.directory)).size > MAX_CONTENT_BYTES) return
    this.#served.add(wanted.servers)
  }

  #sayWhole(servers: readonly Server[], why: string): void {
    if (this.#context.signal.aborted || this.#making.length === 0 || servers.length === 0) return
    const names = nameSome(
      servers.map(({ label }) => label),
      MAX_NAMES,
    )
    this.#context.display.board().log(`${names}: the whole package goes, no delta: ${why}`)
  }

  /**
   * Where no server surely needs the package, it is made when the deltas are late: they have the time that it takes, too. Deltas that
   * come while it is made are in time.
   */
  async #inTime(whole: WholePackage): Promise<Answer[]> {
    const { fleet, settings } = this.#context
    const all = Promise.all(this.#making.map(({ made }) => made))
    const enough = Promise.race([all, this.#served.all])
    const left = (bytes: number) => timeLimitMs(bytes, settings.uploadLimit) - waitedMs
    let waitedMs = 0
    let areThere = false
    if (!isSurelyNeeded(fleet.servers, this.#making.length === 0 ? [] : this.#wanted)) {
      const begun = performance.now()
      this.#makeWhereNone(whole)
      areThere = await within(enough, left(whole.plan.estimatedBytes))
      waitedMs = performance.now() - begun
    }
    if (!areThere) {
      const packing = this.#make(whole)
      packing.catch(() => undefined) // Thrown below, or by who needs it.
      areThere = await Promise.race([enough.then(() => true), packing.then(() => false)])
      if (!areThere) areThere = await within(enough, left((await packing).length))
    }
    this.#over.abort()
    const answers = (await all).flat()
    if (areThere) return answers
    return answers.map((answer) => (answer.event === 'unmade' ? { ...answer, message: TOO_LATE } : answer))
  }
}

const isMade = (answers: readonly Answer[], id: string): boolean =>
  answers.some(({ event, base }) => event === 'made' && base === id)

/** How many seeders beside one these ports leave room for. */
const moreSeeders = ([first, last]: [number, number]): number =>
  last === 0 ? Number.POSITIVE_INFINITY : last - first
