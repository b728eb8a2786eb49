/** A longer gap between two looks at the clock means that this process was suspended: Ctrl-Z, or a machine that slept. */
const MAX_GAP_S = 5
const TICK_MS = 1000

/** A clock that stands still while this process is suspended: then it can hear nobody, so nobody is to blame for silence. */
export class AwakeClock {
  readonly #now: () => number
  #looked: number
  #asleep = 0

  /** `now`: seconds. It must be looked at at least every few seconds. */
  constructor(now: () => number) {
    this.#now = now
    this.#looked = now()
  }

  seconds(): number {
    const now = this.#now()
    if (now - this.#looked > MAX_GAP_S) this.#asleep += now - this.#looked
    this.#looked = now
    return now - this.#asleep
  }
}

let clock: AwakeClock | undefined

/** Seconds, on a clock of this process that stands still while it is suspended. */
export function awakeSeconds(): number {
  if (!clock) {
    const made = new AwakeClock(() => performance.now() / 1000)
    setInterval(() => made.seconds(), TICK_MS).unref()
    clock = made
  }
  return clock.seconds()
}
