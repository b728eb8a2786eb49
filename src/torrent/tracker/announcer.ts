import { type AnnounceAnswer, type AnnounceRequest, announce } from './announce.ts'

/** Seconds: a first announce again soon, for the peers that started at the same moment, then as the tracker says. */
const SECOND_ANNOUNCE = 2
const FIRST_RETRY = 0.5
const LONGEST_RETRY = 15
/** While peers are few and content is missing, ask more often than the tracker wants. */
const HUNGRY = 10

/** Keeps one tracker informed, and hands on the peers it names. Failures are kept for the report and retried. */
export class Announcer {
  error: string | undefined
  reached = false
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #failures = 0
  #answers = 0
  readonly #url: string
  readonly #describe: () => Omit<AnnounceRequest, 'event'>
  readonly #onAnswer: (answer: AnnounceAnswer) => void
  readonly #isHungry: () => boolean

  constructor(
    url: string,
    describe: () => Omit<AnnounceRequest, 'event'>,
    onAnswer: (answer: AnnounceAnswer) => void,
    isHungry: () => boolean,
  ) {
    this.#url = url
    this.#describe = describe
    this.#onAnswer = onAnswer
    this.#isHungry = isHungry
  }

  async start(): Promise<void> {
    await this.#send('started')
  }

  async completed(): Promise<void> {
    if (this.reached) await this.#send('completed')
  }

  /** Tells the tracker to forget us; best effort. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    if (this.reached)
      await announce(this.#url, { ...this.#describe(), event: 'stopped', want: 0 }).catch(() => {})
  }

  async #send(event?: 'started' | 'completed'): Promise<void> {
    clearTimeout(this.#timer)
    let pause: number
    try {
      const answer = await announce(this.#url, { ...this.#describe(), ...(event ? { event } : {}) })
      this.reached = true
      this.error = undefined
      this.#failures = 0
      this.#answers++
      if (!this.#stopped) this.#onAnswer(answer)
      pause =
        this.#answers === 1
          ? SECOND_ANNOUNCE
          : this.#isHungry()
            ? Math.min(HUNGRY, answer.interval)
            : answer.interval
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error)
      pause = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.#failures++)
    }
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#send(this.reached ? undefined : 'started'), pause * 1000)
    this.#timer.unref()
  }
}
