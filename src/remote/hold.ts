import { PassThrough } from 'node:stream'
import { outOfTime } from './diagnose.ts'
import type { Fleet, Outcome } from './fleet.ts'
import type { Server } from './server.ts'

/** The line after which a held command has said all and stays. */
export const saidAll = '<<< murder has said all <<<'

/** Milliseconds between two signs of life to a held command, which it reads as empty lines. */
const PULSE_MS = 20_000
/** Milliseconds that a command may take to end when it is let go. */
const PATIENCE_MS = 2000

/**
 * A command that says something and then stays. Its standard input ends when it is let go, and also when this process ends,
 * however that happens: what it holds can be bound to that.
 */
export class Hold {
  /** What it said until `saidAll`, or how it ended before that. */
  readonly said: Promise<Outcome>
  /** Settles when it does not stay any more. Never rejects. */
  readonly ended: Promise<Outcome>
  readonly #giveUp = new AbortController()
  #input: PassThrough | undefined

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
    const onLine = (line: string) => {
      if (line === saidAll) heard({ server, ok: true, stdout: lines.join('\n'), stderr: '' })
      else lines.push(line)
    }
    const options = { servers: [server], signal: this.#giveUp.signal }
    const abort = () => this.#giveUp.abort(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    this.ended = fleet
      .run(step, () => ({ script, stdin, onLine }), options)
      .then(([outcome]) => {
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

  /** Lets it end by itself, and waits for that. */
  async letGo(): Promise<void> {
    this.#input?.end()
    const timer = setTimeout(() => this.#giveUp.abort(), PATIENCE_MS)
    await this.ended
    clearTimeout(timer)
  }
}
