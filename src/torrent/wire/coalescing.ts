/** What is to be done at the end of this turn of the event loop, and may lead to more of its kind. */
interface Flushable {
  /** Returns how many bytes it wrote. */
  flush(): number
}

/** Milliseconds of a rest, and what share of the time that requests are made ahead: a request and its answer may each wait for one. */
const SHORTEST_REST = 10
const REST_OF_AHEAD = 1 / 7.5
/** Agents that are connected. */
const CROWD = 4
/** Milliseconds over which the flow is measured. */
const WINDOW_MS = 50
/** Bytes a second, both ways: from here on each turn has enough to do, and a rest would fill the system's buffers. */
const BRISK = 16e6

/**
 * Whether to rest. On a link that is slower than the machine packets come one by one, from many neighbours, and each
 * wakes this process: what comes during a rest is read in one go, for half the turns and 15 % less time (NOTES.md).
 */
export class Flow {
  #since: number
  #moved = 0
  #brisk = false

  /** `now` in milliseconds. */
  constructor(now: number) {
    this.#since = now
  }

  /** At the end of a turn that moved so many bytes. */
  isSlow(now: number, bytes: number): boolean {
    this.#moved += bytes
    const elapsed = now - this.#since
    if (elapsed >= WINDOW_MS) {
      this.#brisk = (this.#moved / elapsed) * 1000 > BRISK
      this.#since = now
      this.#moved = 0
    }
    return !this.#brisk
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
const flow = new Flow(performance.now())
const agents = new Set<object>()
const due: Flushable[] = []
let scheduled = false
let rest = SHORTEST_REST
let moved = 0
let calls: 'nobody' | 'agents' | 'strangers' = 'nobody'

/** An agent that is connected, until `part`. */
export function meet(agent: object): void {
  agents.add(agent)
}

export function part(agent: object): void {
  agents.delete(agent)
}

/** Requests are made so many milliseconds ahead from now on. */
export function askAhead(ahead: number): void {
  rest = restFor(ahead)
}

/** Milliseconds of a rest where requests are made so many ahead. */
export function restFor(ahead: number): number {
  return Math.max(SHORTEST_REST, ahead * REST_OF_AHEAD)
}

/** `from` has sent so many bytes in this turn. */
export function heard(from: object, bytes: number): void {
  moved += bytes
  if (!agents.has(from)) calls = 'strangers'
  else if (calls === 'nobody') calls = 'agents'
  schedule()
}

export function flushAfterTurn(what: Flushable): void {
  due.push(what)
  schedule()
}

function schedule(): void {
  if (scheduled) return
  scheduled = true
  setImmediate(endTurn)
}

/** A stranger, who asks for little at once, is not kept waiting; nor is anybody when few are there to wake this process. */
function endTurn(): void {
  while (due.length > 0) for (const each of due.splice(0)) moved += each.flush()
  scheduled = false
  const slow = flow.isSlow(performance.now(), moved) // Also in turns without a rest: what only leaves in them counts.
  const rests = slow && calls === 'agents' && agents.size >= CROWD
  moved = 0
  calls = 'nobody'
  if (rests) Atomics.wait(sleeper, 0, 0, rest)
}
