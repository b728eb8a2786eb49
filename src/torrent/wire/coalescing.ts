/** Has work for the end of the current iteration of the event loop. That work may cause more. */
export interface Flushable {
  /** Returns how many bytes it wrote. */
  flush(): number
}

/**
 * How long a message that is not urgent waits for others to leave with, at most: as long as requests are pending ahead. In a small
 * swarm that costs nothing. In a large one a piece takes many hops, and waits this long at each (../scheduler/NOTES.md).
 */
const MAX_COALESCE_MS = 40
const MIN_COALESCE_MS = 5
const SHORTEST_REST_MS = 10
/** A rest as a share of the time for which requests are pending ahead. A request and its answer may each wait for one rest. */
const REST_SHARE_OF_AHEAD = 1 / 7.5
/** With fewer agents connected there is no rest. */
const MIN_AGENTS = 4
const FLOW_WINDOW_MS = 50
/** In both directions together. Above this rate each iteration has enough work, and a rest would fill the system's buffers. */
const FAST_FLOW_BYTES_PER_S = 16e6

/** Measures the bytes in both directions, to decide whether a rest pays. */
export class FlowMeter {
  #sinceMs: number
  #bytes = 0
  #isFast = false

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  /** Call it at the end of an iteration that moved so many bytes. */
  isSlow(nowMs: number, bytes: number): boolean {
    this.#bytes += bytes
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs >= FLOW_WINDOW_MS) {
      this.#isFast = (this.#bytes / elapsedMs) * 1000 > FAST_FLOW_BYTES_PER_S
      this.#sinceMs = nowMs
      this.#bytes = 0
    }
    return !this.#isFast
  }
}

/**
 * Bundles work that would otherwise happen for every packet. All connections of a participant send at the end of an iteration of
 * the event loop, and messages that are not urgent wait a little longer.
 *
 * After an iteration the thread may rest. On a link that is slower than the machine, packets come one by one from many
 * neighbours, and each wakes this process. Packets that come during a rest are read in one go: half the iterations and 15 % less
 * processor time (NOTES.md).
 */
export class Coalescer {
  readonly #agents = new Set<object>()
  readonly #flow: FlowMeter
  readonly #nowMs: () => number
  readonly #sleep: (ms: number) => void
  readonly #isBusy: () => boolean
  readonly #due: Flushable[] = []
  readonly #delayed: Flushable[] = []
  #scheduled = false
  #restMs = SHORTEST_REST_MS
  #coalesceMs = MAX_COALESCE_MS
  #bytes = 0
  #heardAgent = false
  #heardOther = false

  /** `sleep` blocks the thread. `isBusy`: whether other work on this thread waits for its turn. Then there is no rest. */
  constructor({ nowMs = () => performance.now(), sleep = blockThread, isBusy = (): boolean => false } = {}) {
    this.#nowMs = nowMs
    this.#isBusy = isBusy
    this.#sleep = sleep
    this.#flow = new FlowMeter(nowMs())
  }

  /** An agent has connected. It counts until `agentLeft`. */
  agentJoined(agent: object): void {
    this.#agents.add(agent)
  }

  agentLeft(agent: object): void {
    this.#agents.delete(agent)
  }

  /** From now on, requests are pending for this long ahead. `hasSites`: whether neighbours are in several sites. */
  requestsAhead(aheadMs: number, hasSites = false): void {
    this.#restMs = restMsFor(aheadMs)
    this.#coalesceMs = coalesceMsFor(aheadMs, hasSites)
  }

  /** `from` has sent so many bytes. */
  received(from: object, bytes: number): void {
    this.#bytes += bytes
    if (this.#agents.has(from)) this.#heardAgent = true
    else this.#heardOther = true
    this.#schedule()
  }

  /** At the end of this iteration of the event loop. */
  flushSoon(what: Flushable): void {
    this.#due.push(what)
    this.#schedule()
  }

  /** In `MAX_COALESCE_MS` at the latest. */
  flushLater(what: Flushable): void {
    if (this.#delayed.push(what) === 1) setTimeout(() => this.#flushDelayed(), this.#coalesceMs)
  }

  #flushDelayed(): void {
    for (const what of this.#delayed.splice(0)) what.flush()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#endIteration)
  }

  readonly #endIteration = (): void => {
    while (this.#due.length > 0) for (const what of this.#due.splice(0)) this.#bytes += what.flush()
    this.#scheduled = false
    const rests = this.#mayRest()
    this.#bytes = 0
    this.#heardAgent = false
    this.#heardOther = false
    if (rests && !this.#isBusy()) this.#sleep(this.#restMs)
  }

  /** Never when another client has just sent something: such clients ask for little at a time and must not wait. */
  #mayRest(): boolean {
    const isSlow = this.#flow.isSlow(this.#nowMs(), this.#bytes) // measured in every iteration, also in those that only send
    return isSlow && this.#heardAgent && !this.#heardOther && this.#agents.size >= MIN_AGENTS
  }
}

/** The length of a rest when requests are pending for this long ahead. */
export function restMsFor(aheadMs: number): number {
  return Math.max(SHORTEST_REST_MS, aheadMs * REST_SHARE_OF_AHEAD)
}

/**
 * How long messages that are not urgent wait when requests are pending for this long ahead. With several sites the time is fixed:
 * what members say about imports must arrive before others may fetch the same pieces.
 */
export function coalesceMsFor(aheadMs: number, hasSites = false): number {
  if (hasSites) return MAX_COALESCE_MS
  return Math.min(MAX_COALESCE_MS, Math.max(MIN_COALESCE_MS, aheadMs))
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4))

function blockThread(ms: number): void {
  Atomics.wait(neverNotified, 0, 0, ms)
}
