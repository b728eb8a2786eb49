import type { OutputStream } from './output.ts'

const SECTION = '\u001b[0Ksection_'
const HEAD = '\r\u001b[0K'

/**
 * Collapsible sections of a job's log in GitLab, one for each step of a deploy.
 * Source: docs.gitlab.com, "CI/CD job logs", "Custom collapsible sections".
 */
export class GitLabSections {
  readonly #stream: OutputStream
  readonly #now: () => number
  /** Names must be different in one log. */
  #count = 0
  #open: string | undefined

  /** `now`: milliseconds since 1970. */
  constructor(stream: OutputStream, now: () => number = Date.now) {
    this.#stream = stream
    this.#now = now
  }

  /** What follows belongs to `step`. */
  begin(step: string): void {
    this.end()
    this.#open = `murder_${++this.#count}_${step}`
    this.#stream.write(`${SECTION}start:${this.#seconds()}:${this.#open}${HEAD}shipit-murder: ${step}\n`)
  }

  end(): void {
    if (this.#open === undefined) return
    this.#stream.write(`${SECTION}end:${this.#seconds()}:${this.#open}${HEAD}\n`)
    this.#open = undefined
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}
