/** Connections to one neighbour, its first one included. */
export const MAX_CONNECTIONS_TO_ONE = 16
/** Paths with a shorter round trip get one connection: there TCP repairs losses quickly enough. */
const MIN_ROUND_TRIP_S = 0.02
/**
 * A download from one or two neighbours begins with so many connections, because each grows its own window from the same small
 * one.
 */
const FIRST_OF_FEW = 8
/** A rate is measured over so many round trips, and for at least this time. */
const MEASURED_ROUND_TRIPS = 3
const SHORTEST_MEASURE_S = 0.25
/** New connections take so many round trips to reach their rate: to dial, shake hands and speed up. */
const SETTLING_ROUND_TRIPS = 4
/** While a rate still changes by this factor, TCP is still starting, and a trial would prove nothing. */
const STILL_CHANGING = 1.3
/** Twice as many connections stay if the total rate grows by this factor. */
const WORTH_MORE = 1.2
/** A trial removes a quarter of the connections. They were needed if the rate falls by more than half that share. */
const TAKEN_AWAY = 0.25
/** Pause after a failed trial. It doubles from the first one to the longest. */
const FIRST_PAUSE_S = 4
const LONGEST_PAUSE_S = 60
/** A neighbour from which we want nothing for this long keeps one connection. */
const IDLE_S = 5

/** What is known about a neighbour at one time. */
export interface FlowFacts {
  nowS: number
  /** Content bytes that it has sent so far. */
  bytes: number
  /** The shortest round trip so far; 0 unless the path is certainly long. */
  roundTripS: number
  /** Whether it owes blocks, so that its rate is not limited by our requests. */
  isHungry: boolean
  /** There are one or two neighbours in all. */
  isOfFew: boolean
  /** How many neighbours are at the other end of the same link, this one included. */
  sharers: number
}

interface Trial {
  /** Connections before it. */
  from: number
  /** Bytes a second before it. */
  rate: number
  /** Measuring begins, or has begun. */
  sinceS: number
  /** Bytes that the neighbour had sent when measuring began; undefined before. */
  bytes: number | undefined
}

/**
 * How many connections to one neighbour at the end of a long path pay off. One TCP flow carries about MSS ÷ (round trip × √loss)
 * (Mathis and others, 1997), and k flows k times as much, until the path is full. So trials find the number: twice as many while
 * that raises the rate, and a quarter fewer while that does not lower it.
 */
export class SubflowCount {
  wanted = 1
  #started = false
  #trial: Trial | undefined
  /** The rate before connections were taken away: small losses must not add up. */
  #rateToKeep = 0
  #goesUp = true
  #sinceS = 0
  #sinceBytes = 0
  #rateBefore = 0
  #pauseS = FIRST_PAUSE_S
  #pausedUntilS = 0
  #hungryAtS = 0
  /** Several neighbours at the other end of one link together have as many connections as one would. */
  #most = MAX_CONNECTIONS_TO_ONE

  /** Call it every 0.1 s or so. */
  update(facts: FlowFacts): number {
    const { nowS, bytes, roundTripS, isHungry, sharers } = facts
    this.#most = Math.max(1, Math.floor(MAX_CONNECTIONS_TO_ONE / Math.max(1, sharers)))
    if (roundTripS < MIN_ROUND_TRIP_S) return this.#reset(facts)
    if (!isHungry) {
      if (nowS - this.#hungryAtS > IDLE_S) this.#reset(facts)
      else this.#abandonTrial(facts)
      return this.wanted
    }
    this.#hungryAtS = nowS
    if (!this.#started) this.#start(facts)
    else if (this.#trial) this.#judge(this.#trial, facts)
    else this.#watch(nowS, bytes, roundTripS)
    return this.wanted
  }

  #start(facts: FlowFacts): void {
    this.#started = true
    if (facts.isOfFew) this.wanted = FIRST_OF_FEW
    this.#measureFrom(facts)
  }

  #reset(facts: FlowFacts): number {
    this.wanted = 1
    this.#started = false
    this.#trial = undefined
    this.#goesUp = true
    this.#measureFrom(facts)
    return this.wanted
  }

  /** Waits until the rate is stable, and then begins a trial. */
  #watch(nowS: number, bytes: number, roundTripS: number): void {
    const elapsedS = nowS - this.#sinceS
    if (elapsedS < measureS(roundTripS)) return
    const rate = (bytes - this.#sinceBytes) / elapsedS
    const before = this.#rateBefore
    this.#sinceS = nowS
    this.#sinceBytes = bytes
    this.#rateBefore = rate
    const change = rate / before
    if (!(change < STILL_CHANGING && change > 1 / STILL_CHANGING) || nowS < this.#pausedUntilS) return
    this.#try((rate + before) / 2, nowS, roundTripS)
  }

  #try(rate: number, nowS: number, roundTripS: number): void {
    const from = this.wanted
    if (this.#goesUp) this.wanted = Math.min(this.#most, from * 2)
    else {
      this.wanted = from - takenOf(from)
      this.#rateToKeep ||= rate
    }
    const settledAtS = nowS + SETTLING_ROUND_TRIPS * roundTripS
    this.#trial = { from, rate, sinceS: settledAtS, bytes: undefined }
  }

  #judge(trial: Trial, { nowS, bytes, roundTripS }: FlowFacts): void {
    if (nowS < trial.sinceS) return
    if (trial.bytes === undefined) {
      trial.bytes = bytes
      trial.sinceS = nowS
      return
    }
    const elapsedS = nowS - trial.sinceS
    if (elapsedS < measureS(roundTripS)) return
    const rate = (bytes - trial.bytes) / elapsedS
    const isBetter = this.#goesUp
      ? rate >= trial.rate * WORTH_MORE
      : rate >= this.#rateToKeep * (1 - takenOf(trial.from) / trial.from / 2)
    this.#trial = undefined
    if (!isBetter) this.wanted = trial.from
    const isLast = this.wanted === (this.#goesUp ? this.#most : 1)
    if (isBetter && !isLast) return this.#try(rate, nowS, roundTripS)
    // If more connections did not help, there are probably too many. The next trial removes some, without a pause.
    if (isBetter || !this.#goesUp || this.wanted === 1) this.#pause(nowS)
    this.#goesUp = this.wanted === 1 || (!this.#goesUp && this.wanted < this.#most)
    this.#rateToKeep = 0
    this.#measureFrom({ nowS, bytes })
  }

  #pause(nowS: number): void {
    this.#pausedUntilS = nowS + this.#pauseS
    this.#pauseS = Math.min(LONGEST_PAUSE_S, this.#pauseS * 2)
  }

  #abandonTrial(facts: FlowFacts): void {
    if (this.#trial) this.wanted = this.#trial.from
    this.#trial = undefined
    this.#measureFrom(facts)
  }

  #measureFrom({ nowS, bytes }: Pick<FlowFacts, 'nowS' | 'bytes'>): void {
    this.#sinceS = nowS
    this.#sinceBytes = bytes
    this.#rateBefore = 0
  }
}

const takenOf = (connections: number): number => Math.ceil(connections * TAKEN_AWAY)

const measureS = (roundTripS: number): number =>
  Math.max(SHORTEST_MEASURE_S, MEASURED_ROUND_TRIPS * roundTripS)
