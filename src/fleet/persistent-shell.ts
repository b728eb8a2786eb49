import { PassThrough } from 'node:stream'
import type { Fleet, Outcome } from './fleet.ts'
import { furtherScript, hasEnded, saidAll } from './persistent-shell-script.ts'
import { outOfTime } from './ssh/diagnose.ts'
import type { Server } from './ssh/server.ts'
import type { FurtherScript, SessionResult, StandingShell, Stop } from './ssh/session.ts'

/** Milliseconds between two signs of life to a held command, which it reads as empty lines. */
const PULSE_MS = 10_000
/** Milliseconds that a command may take to end when it is let go. */
const PATIENCE_MS = 2000

/**
 * A command that says something and then stays. Its standard input ends when it is let go, and also when this process ends,
 * however that happens: what it holds can be bound to that. One that ends in `stay` also runs scripts, one at a time: that
 * takes neither a process of ssh here nor a session of sshd there. It carries the connection, where there is none yet.
 */
export class PersistentShell implements StandingShell {
  /** What it said until `saidAll`, or how it ended before that. */
  readonly said: Promise<Outcome>
  /** Settles when it does not stay any more. Never rejects. */
  readonly ended: Promise<Outcome>
  readonly #giveUp = new AbortController()
  #input: PassThrough | undefined
  /** Gets the lines from now on. */
  #listener: (line: string) => void
  #over = false
  #busy = true

  /** `patience`: seconds that it may take to say all. `signal` ends it only until then. */
  constructor(
    fleet: Fleet,
    server: Server,
    order: { step: string; script: string; patience: number; signal: AbortSignal },
  ) {
    const { step, script, patience, signal } = order
    const lines: string[] = []
    let heard = (_: Outcome) => {}
    const spoken = new Promise<Outcome>((resolve) => {
      heard = resolve
    })
    let timer: NodeJS.Timeout | undefined
    const stdin = () => {
      this.#input = new PassThrough()
      timer ??= setTimeout(
        () => this.#giveUp.abort(outOfTime('total', patience, server.label, step)),
        patience * 1000,
      )
      return this.#input
    }
    this.#listener = (line) => {
      if (line !== saidAll) return lines.push(line)
      this.#listener = () => {}
      this.#busy = false
      return heard({ server, ok: true, stdout: lines.join('\n'), stderr: '' })
    }
    const options = { servers: [server], signal: this.#giveUp.signal, stays: true }
    const abort = () => this.#giveUp.abort(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    this.ended = fleet
      .run(step, () => ({ script, stdin, onLine: (line) => this.#listener(line) }), options)
      .then(([outcome]) => {
        this.#over = true
        if (!outcome?.ok) return outcome as Outcome
        return { ...outcome, stdout: lines.join('\n') }
      })
    this.said = Promise.race([spoken, this.ended])
    void this.said.then(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    })
    const pulse = setInterval(() => this.#input?.write('\n'), PULSE_MS)
    pulse.unref()
    void this.ended.then(() => clearInterval(pulse))
  }

  async run({
    script,
    onLine,
    totalTimeout,
    maxOutput,
    signal,
  }: FurtherScript): Promise<SessionResult | undefined> {
    if (this.#busy || this.#over) return undefined
    this.#busy = true
    const answer = new Answer(onLine, maxOutput)
    this.#listener = (line) => answer.take(line)
    const timer =
      totalTimeout > 0 &&
      setTimeout(() => answer.stop({ why: 'total', seconds: totalTimeout }), totalTimeout * 1000)
    const abort = () => answer.stop({ why: 'abort' })
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    else this.#input?.write(furtherScript(script))
    const result = await Promise.race([answer.result, this.ended.then(() => undefined)])
    if (timer) clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    this.#listener = () => {}
    // Of one that was given up more may come.
    this.#busy = result === undefined || result.stop !== undefined
    return result
  }

  /** Lets it end by itself, and waits for that. */
  async letGo(): Promise<void> {
    this.#over = true
    this.#input?.end()
    const timer = setTimeout(() => this.#giveUp.abort(), PATIENCE_MS)
    await this.ended
    clearTimeout(timer)
  }
}

/** What a further script says, line by line. */
class Answer {
  readonly result: Promise<SessionResult>
  readonly #onLine: ((line: string) => void) | undefined
  readonly #most: number
  readonly #output: string[] = []
  #length = 0
  #blank = false
  /** Its exit code, then lines of standard error, once it has ended. */
  #ending: string[] | undefined
  #resolve: (result: SessionResult) => void = () => {}

  constructor(onLine: ((line: string) => void) | undefined, most: number) {
    this.#onLine = onLine
    this.#most = most
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  take(line: string): void {
    if (this.#ending && line === saidAll) this.#finish(this.#ending)
    else if (this.#ending) this.#ending.push(line)
    else if (line === hasEnded) this.#ending = []
    else {
      // The mark comes after an empty line, which is the script's own only when there is more than that.
      if (this.#blank) this.#keep('')
      this.#blank = line === ''
      if (!this.#blank) this.#keep(line)
    }
  }

  stop(stop: Stop): void {
    this.#resolve({ exitCode: null, signal: null, started: true, stdout: '', stderr: '', stop })
  }

  #keep(line: string): void {
    try {
      if (this.#onLine) return this.#onLine(line)
    } catch (error) {
      return this.stop({ why: 'error', error })
    }
    this.#length += line.length
    if (this.#length > this.#most) return this.stop({ why: 'output' })
    this.#output.push(`${line}\n`)
    return undefined
  }

  #finish([code = '', ...errors]: string[]): void {
    const stdout = this.#output.join('')
    this.#resolve({ exitCode: Number(code), signal: null, started: true, stdout, stderr: errors.join('\n') })
  }
}
