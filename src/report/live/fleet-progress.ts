/** The model behind the progress display: the states of all servers, summed up. Pure. */

/** What a server is doing: `check`, `upload` (of the agent), `transfer` (as a peer), `unpack`; then `done` or `failed`. */
export type ServerPhase = 'check' | 'upload' | 'transfer' | 'unpack' | 'done' | 'failed'

export interface ServerState {
  phase: ServerPhase
  /** In the present phase: bytes so far, bytes in all (0 while unknown), bytes a second. */
  bytes: number
  total: number
  rate: number
  /** Bytes that its transfer has fetched, once it is over; without bytes that were there before. */
  transferred?: number
}

/** Steps of a deploy on the deploy host, which the caller announces. */
export type LocalStep = 'package' | 'seed' | 'publish'
export type Step = LocalStep | ServerPhase

export interface Progress {
  bytes: number
  total: number
  rate: number
}

export interface SlowServer extends Omit<ServerState, 'transferred'> {
  server: string
}

export interface Summary extends Progress {
  step: Step
  /** Seconds until `bytes` is `total`; undefined when it is unknown. */
  eta: number | undefined
  servers: number
  done: number
  failed: number
  /** Bytes that the seeder has sent. */
  seederUploaded: number
  /** The three servers that are furthest from the end, slowest first; none when there is only one server. */
  slowest: SlowServer[]
}

const order: readonly ServerPhase[] = ['check', 'upload', 'transfer', 'unpack', 'done']
const at = (phase: ServerPhase) => order.indexOf(phase)

/** The fleet's step: transfer as long as any server transfers, else the first of these that any server is in. */
function fleetStep(states: readonly ServerState[]): ServerPhase {
  const phases = new Set(states.map((state) => state.phase))
  for (const step of ['transfer', 'upload', 'check', 'unpack'] as const) if (phases.has(step)) return step
  return phases.has('failed') && !phases.has('done') ? 'failed' : 'done'
}

/**
 * Bytes of one step, over all servers that have not failed. A server after that step counts as complete. A server before it needs
 * as much as the one with most.
 */
function fleetProgress(states: readonly ServerState[], step: ServerPhase): Progress {
  const here = states.filter((state) => state.phase === step)
  const size = Math.max(0, ...here.map((state) => state.total))
  const live = states.filter((state) => state.phase !== 'failed')
  const past = live.filter((state) => at(state.phase) > at(step))
  const before = live.length - here.length - past.length
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  const over = step === 'transfer' ? sum(past.map((state) => state.transferred ?? 0)) : past.length * size
  return {
    bytes: over + sum(here.map((state) => Math.min(state.bytes, state.total))),
    total: over + sum(here.map((state) => state.total)) + before * size,
    rate: sum(here.map((state) => state.rate)),
  }
}

function slowest(states: ReadonlyMap<string, ServerState>): SlowServer[] {
  if (states.size < 2) return []
  const part = (state: ServerState) => (state.total > 0 ? state.bytes / state.total : 0)
  return [...states]
    .map(([server, { phase, bytes, total, rate }]) => ({ server, phase, bytes, total, rate }))
    .filter(({ phase }) => phase !== 'done' && phase !== 'failed')
    .sort((a, b) => at(a.phase) - at(b.phase) || part(a) - part(b) || a.rate - b.rate)
    .slice(0, 3)
}

/** Rates of single servers say little before so much of the whole is there. */
const BEGINNING = 0.1

/** The fleet as a whole may be nearly done, while one server needs much longer: that one decides. */
function lastEta(
  ofFleet: number | undefined,
  { bytes, total }: Progress,
  states: readonly ServerState[],
): number | undefined {
  if (ofFleet === undefined || bytes < BEGINNING * total) return ofFleet
  return states
    .filter(({ phase, rate }) => phase === 'transfer' && rate > 0)
    .reduce((latest, { bytes, total, rate }) => Math.max(latest, (total - bytes) / rate), ofFleet)
}

/** A package that is complete, say, while servers are still waited for. */
const hasEnded = (local: Progress | undefined): boolean =>
  local !== undefined && local.total > 0 && local.bytes >= local.total

interface Local extends Progress {
  step: LocalStep
}

/** The present step on the deploy host, unless that has ended and servers are waited for. */
const localStep = (states: readonly ServerState[], given: Local | undefined) =>
  hasEnded(given) && states.some(({ phase }) => phase === 'upload') ? undefined : given

/** The step of the summary. Costs less than that, for what asks at each event. */
export function presentStep(states: ReadonlyMap<string, ServerState>, given: Local | undefined): Step {
  const all = [...states.values()]
  return localStep(all, given)?.step ?? fleetStep(all)
}

/** `given` is the present step on the deploy host, if there is one, with its own progress. `eta` tells when a step is done. */
export function summarize(
  states: ReadonlyMap<string, ServerState>,
  seederUploaded: number,
  given: Local | undefined,
  eta: (step: Step, progress: Progress) => number | undefined,
): Summary {
  const all = [...states.values()]
  const local = localStep(all, given)
  const step = local?.step ?? fleetStep(all)
  const progress = local ?? fleetProgress(all, fleetStep(all))
  return {
    step,
    bytes: progress.bytes,
    total: progress.total,
    rate: progress.rate,
    eta: lastEta(eta(step, progress), progress, local ? [] : all),
    servers: all.length,
    done: all.filter((state) => state.phase === 'done').length,
    failed: all.filter((state) => state.phase === 'failed').length,
    seederUploaded,
    slowest: local ? [] : slowest(states),
  }
}
