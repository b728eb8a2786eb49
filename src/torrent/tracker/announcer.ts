import { type AnnounceAnswer, type AnnounceRequest, announce } from './announce.ts'

/** The second announce comes soon, for peers that started at the same moment. Later ones come when the tracker says. */
const SECOND_ANNOUNCE_S = 2
const FIRST_RETRY_S = 0.5
const LONGEST_RETRY_S = 15
/** While peers are few and content is missing, we announce at least this often, whatever the tracker says. */
const HUNGRY_INTERVAL_S = 10

export interface AnnouncerCallbacks {
  describe(): Omit<AnnounceRequest, 'event'>
  onAnswer(answer: AnnounceAnswer): void
  /** Whether more peers are needed. */
  isHungry(): boolean
}

/** Announces to one tracker as long as this process runs. A failure is kept for the report and tried again. */
export class Announcer {
  error: string | undefined
  #reached = false
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #failures = 0
  #answers = 0
  readonly #url: string
  readonly #callbacks: AnnouncerCallbacks

  constructor(url: string, callbacks: AnnouncerCallbacks) {
    this.#url = url
    this.#callbacks = callbacks
  }

  async start(): Promise<void> {
    await this.#send('started')
  }

  async completed(): Promise<void> {
    if (this.#reached) await this.#send('completed')
  }

  /** Tells the tracker to forget us, if it can be reached. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    if (this.#reached)
      await announce(this.#url, { ...this.#callbacks.describe(), event: 'stopped', want: 0 }).catch(() => {})
  }

  async #send(event?: 'started' | 'completed'): Promise<void> {
    clearTimeout(this.#timer)
    let pauseS: number
    try {
      const answer = await announce(this.#url, { ...this.#callbacks.describe(), ...(event ? { event } : {}) })
      this.#reached = true
      this.error = undefined
      this.#failures = 0
      this.#answers++
      if (!this.#stopped) this.#callbacks.onAnswer(answer)
      pauseS =
        this.#answers === 1
          ? SECOND_ANNOUNCE_S
          : this.#callbacks.isHungry()
            ? Math.min(HUNGRY_INTERVAL_S, answer.interval)
            : answer.interval
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error)
      pauseS = Math.min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** this.#failures++)
    }
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#send(this.#reached ? undefined : 'started'), pauseS * 1000)
    this.#timer.unref()
  }
}
