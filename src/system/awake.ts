/** A longer gap between two looks at the clock means that this process was suspended: Ctrl-Z, or a machine that slept. */
const MAX_GAP_S = 5
const TICK_MS = 1000

/** A clock that stands still while this process is suspended: then it can hear nobody, so nobody is to blame for silence. */
export class AwakeClock {
  readonly #now: () => number
  readonly #isHeld: () => boolean
  #looked: number
  #asleep = 0

  /** `now`: seconds. It must be looked at at least every few seconds. `isHeld`: whether it stands still for another reason. */
  constructor(now: () => number, isHeld = () => false) {
    this.#now = now
    this.#isHeld = isHeld
    this.#looked = now()
  }

  seconds(): number {
    const now = this.#now()
    if (now - this.#looked > MAX_GAP_S || this.#isHeld()) this.#asleep += now - this.#looked
    this.#looked = now
    return now - this.#asleep
  }
}

let clock: AwakeClock | undefined
let isHeld = () => false

/** The clock of this process also stands still while `isTrue` says so. */
export function holdAwakeClockWhile(isTrue: () => boolean): void {
  isHeld = isTrue
}

/** Seconds, on a clock of this process that stands still while it is suspended. */
export function awakeSeconds(): number {
  if (!clock) {
    const made = new AwakeClock(
      () => performance.now() / 1000,
      () => isHeld(),
    )
    setInterval(() => made.seconds(), TICK_MS).unref()
    clock = made
  }
  return clock.seconds()
}
