/** A longer gap between two readings of the clock means that this process was suspended, by Ctrl-Z or by a sleeping machine. */
const MAX_GAP_S = 5
const TICK_MS = 1000

/** A clock that stands still while this process is suspended: it hears nothing then, so silence is not the fault of others. */
export class AwakeClock {
  readonly #now: () => number
  readonly #held: () => number
  #looked: number
  #asleep = 0
  #heldBefore = 0

  /**
   * `now`: seconds. It must be read every few seconds. `held`: for how many seconds it should have stood still so far for another
   * reason; 0 for none. If that becomes known late, the clock goes back.
   */
  constructor(now: () => number, held = () => 0) {
    this.#now = now
    this.#held = held
    this.#looked = now()
  }

  seconds(): number {
    const now = this.#now()
    const gap = now - this.#looked
    const held = this.#held()
    this.#asleep += Math.max(gap > MAX_GAP_S ? gap : 0, held - this.#heldBefore, 0)
    this.#looked = now
    this.#heldBefore = held
    return now - this.#asleep
  }
}

let clock: AwakeClock | undefined
let held = () => 0

/** The clock of this process also stands still as long as this returns more than 0 seconds. */
export function holdAwakeClock(seconds: () => number): void {
  held = seconds
}

/** Seconds, on a clock of this process that stands still while it is suspended. */
export function awakeSeconds(): number {
  if (!clock) {
    const made = new AwakeClock(
      () => performance.now() / 1000,
      () => held(),
    )
    setInterval(() => made.seconds(), TICK_MS).unref()
    clock = made
  }
  return clock.seconds()
}
