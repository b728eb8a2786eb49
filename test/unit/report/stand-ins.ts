import type { Clock } from '../../../src/report/live/clock.ts'
import type { OutputStream } from '../../../src/report/output.ts'

/** Time that passes only when told to. */
export class TestClock implements Clock {
  #now = Date.parse('2026-01-02T03:04:05.000Z')
  readonly #timers = new Set<{ at: number; period: number; run: () => void }>()

  now = () => this.#now

  every(period: number, run: () => void): () => void {
    const timer = { at: this.#now + period, period, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#now = next.at
      next.at += next.period
      next.run()
    }
    this.#now = end
  }

  get timers(): number {
    return this.#timers.size
  }
}

export class TestStream implements OutputStream {
  written = ''
  writes = 0
  write(text: string): boolean {
    this.written += text
    this.writes += 1
    return true
  }
  /** The lines since the last call. */
  take(): string[] {
    const lines = this.written.split('\n').slice(0, -1)
    this.written = ''
    return lines
  }
}

const codeOrCharacter = new RegExp(`${'\u001b'}\\[\\d*[A-Za-z]|[^]`, 'gu')

/** A terminal: what is on its screen after all that was written. Knows only the codes that a live block uses. */
export class Screen extends TestStream {
  readonly isTTY = true
  columns: number
  rows = 24
  lines: string[] = ['']
  /** Lines that go on in the next one. */
  readonly #wraps = new Set<number>()
  #row = 0
  #column = 0
  /** Set when something was written beyond the last column. */
  wrapped = false

  constructor(columns: number) {
    super()
    this.columns = columns
  }

  override write(text: string): boolean {
    const tokens = text.match(codeOrCharacter) ?? []
    for (const token of tokens) this.#apply(token)
    return super.write(text)
  }

  /** What is to be seen, without the empty line that the cursor rests on. */
  get text(): string {
    return this.lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd()
  }

  /** Makes it narrower or wider: lines wrap, and those that were wrapped become one again. */
  resize(columns: number): void {
    const whole: string[] = []
    for (const [at, line] of this.lines.entries())
      if (this.#wraps.has(at - 1)) whole.push(`${whole.pop()}${line}`)
      else whole.push(line)
    this.columns = columns
    this.lines = ['']
    this.#wraps.clear()
    this.#row = this.#column = 0
    for (const token of whole.map((line) => line.trimEnd()).join('\n')) this.#apply(token)
  }

  /** Deletes lines from that of the cursor on. Those below move up. */
  #deleteLines(count: number): void {
    this.lines.splice(this.#row, count)
    this.lines[this.#row] ??= ''
    for (const at of [...this.#wraps]) if (at >= this.#row - 1) this.#wraps.delete(at)
    this.#column = 0
  }

  #apply(token: string): void {
    const line = this.lines[this.#row] ?? ''
    if (token === '\n') {
      this.#row += 1
      this.#column = 0
      this.lines[this.#row] ??= ''
    } else if (token === '\r') this.#column = 0
    else if (token.endsWith('A') && token.length > 1) this.#row -= Number(token.slice(2, -1))
    else if (token.endsWith('M') && token.length > 1) this.#deleteLines(Number(token.slice(2, -1)))
    else if (!token.startsWith('\u001b')) {
      if (this.#column >= this.columns) {
        this.wrapped = true
        this.#wraps.add(this.#row)
        this.#apply('\n')
        return this.#apply(token)
      }
      const padded = line.padEnd(this.#column)
      this.lines[this.#row] = padded.slice(0, this.#column) + token + padded.slice(this.#column + 1)
      this.#column += 1
    }
  }
}
