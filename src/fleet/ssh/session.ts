import { Readable } from 'node:stream'
import { AwakeTimer } from '../../system/awake-timer.ts'
import { defined } from '../../system/defined.ts'
import { scriptLine } from './bootstrap.ts'
import { ConnectTimer } from './connection/connect-timer.ts'
import type { Route } from './connection/route.ts'
import { Greeting } from './greeting.ts'
import { LineSplitter } from './line-splitter.ts'
import { LocalChild } from './local-process.ts'
import { saysTimedOut } from './messages/ssh-messages.ts'
import { OutputQuota } from './output-quota.ts'
import { Tail } from './tail.ts'

/** The script's own standard input. A function is called once for every attempt. */
export type Payload = string | Buffer | (() => Readable)

export interface SessionOrder {
  /** The local shell command that runs ssh. */
  commandLine: string
  script: string
  stdin?: Payload | undefined
  /** Gets every line of stdout, which is then not kept. An error that it throws ends the session. */
  onLine?: ((line: string) => void) | undefined
  /** Instead of lines: gets stdout as bytes, without a limit. An error that it throws ends the session. */
  onBytes?: ((chunk: Buffer) => void) | undefined
  /** The script has begun to run on the server. */
  onStart?: (() => void) | undefined
  /** Seconds; 0 is no limit. */
  limits: { connect: number; stall: number; total: number }
  /** How ssh gets to the server. Asked when ssh has not got there within `limits.connect`. */
  route: () => Promise<Route>
  /** The most bytes of stdout that are kept or, where lines are passed on, that are read at once. */
  maxOutputBytes: number
  signal?: AbortSignal | undefined
}

/** Why a session was ended from this side. */
export type Stop =
  | { why: 'connect'; seconds: number; route: Route }
  | { why: 'stall' | 'total'; seconds: number }
  | { why: 'output' | 'abort' }
  | { why: 'error'; error: unknown }

export interface SessionResult {
  exitCode: number | null
  signal: string | null
  started: boolean
  stdout: string
  stderr: string
  stop?: Stop
}

/** Runs one script over one ssh process. Never rejects: the result says how it ended. */
export async function runSession(order: SessionOrder): Promise<SessionResult> {
  const child = new LocalChild(order.commandLine)
  const session = new Session(child, order)
  const ending = await child.ended
  return session.result(ending)
}

/** The most bytes that a server's login shell may print before the script starts. */
const MAX_GREETING_BYTES = 1 << 20

/** In pieces, so that a large payload shows progress on a slow network. */
function* slices(payload: string | Buffer): Generator<Buffer> {
  const bytes = Buffer.from(payload)
  for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536)
}

class Session {
  readonly #child: LocalChild
  readonly #order: SessionOrder
  readonly #greeting = new Greeting()
  readonly #errorGreeting = new Greeting()
  readonly #errors = new Tail()
  readonly #output: Buffer[] = []
  readonly #lines: LineSplitter | undefined
  readonly #quota: OutputQuota
  readonly #connecting: ConnectTimer
  readonly #timers = new Map<'stall' | 'total', AwakeTimer>()
  #greetingLength = 0
  #outputLength = 0
  #stop: Stop | undefined

  constructor(child: LocalChild, order: SessionOrder) {
    this.#child = child
    this.#order = order
    this.#quota = new OutputQuota(order.maxOutputBytes, performance.now())
    this.#lines = order.onLine && new LineSplitter(order.onLine)
    const { connect: seconds } = order.limits
    this.#connecting = new ConnectTimer(seconds, order.route, (route) =>
      this.#end({ why: 'connect', seconds, route }),
    )
    this.#limit('total')
    order.signal?.addEventListener('abort', this.#abort, { once: true })
    if (order.signal?.aborted) this.#abort()
    child.process.stdout.on('data', (chunk: Buffer) => this.#guard(() => this.#onOutput(chunk)))
    child.process.stderr.on('data', (chunk: Buffer) => this.#onError(chunk))
    this.#send()
  }

  async result(ending: Awaited<LocalChild['ended']>): Promise<SessionResult> {
    this.#stopTimers()
    this.#order.signal?.removeEventListener('abort', this.#abort)
    if (!this.#stop) this.#guard(() => this.#lines?.end())
    if (ending.error) this.#stop ??= { why: 'error', error: ending.error }
    const { found } = this.#greeting
    const said = this.#errorGreeting.found ? this.#errors.toString() : this.#errorGreeting.text
    if (!found && !this.#stop && saysTimedOut(said)) {
      const route = await this.#connecting.spent()
      if (route) this.#stop = { why: 'connect', seconds: this.#order.limits.connect, route }
    }
    return {
      exitCode: ending.exitCode,
      signal: ending.signal,
      started: found,
      stdout: Buffer.concat(this.#output).toString(),
      // A login shell that refuses (nologin) says so on stdout.
      stderr: found || said.trim() !== '' ? said : this.#greeting.text,
      ...defined({ stop: this.#stop }),
    }
  }

  #send(): void {
    const { stdin } = this.#child.process
    const { script, stdin: payload } = this.#order
    this.#guard(() => {
      stdin.on('drain', () => this.#moved())
      stdin.write(scriptLine(script))
      this.#pour(typeof payload === 'function' ? payload() : Readable.from(slices(payload ?? '')))
    })
  }

  #pour(source: Readable): void {
    const { stdin } = this.#child.process
    source.on('error', (error) => this.#end({ why: 'error', error }))
    stdin.once('close', () => source.destroy())
    source.pipe(stdin)
  }

  #onOutput(chunk: Buffer): void {
    if (!this.#mayRead(chunk)) return
    const before = this.#greeting.found
    const rest = this.#greeting.push(chunk)
    if (!before && this.#greeting.found) this.#started()
    this.#moved()
    if (rest.length === 0) return
    if (this.#order.onBytes) this.#order.onBytes(rest)
    else if (this.#lines) this.#lines.push(rest)
    else this.#keep(rest)
  }

  /** A server that prints without end must cost neither memory nor the time of the others. */
  #mayRead(chunk: Buffer): boolean {
    if (this.#stop) return false
    if (!this.#greeting.found) this.#greetingLength += chunk.length
    const isTooMuch = this.#greeting.found
      ? this.#lines !== undefined && !this.#quota.allows(chunk.length, performance.now())
      : this.#greetingLength > MAX_GREETING_BYTES
    if (isTooMuch) this.#end({ why: 'output' })
    return !isTooMuch
  }

  #keep(chunk: Buffer): void {
    this.#outputLength += chunk.length
    if (this.#outputLength > this.#order.maxOutputBytes) this.#end({ why: 'output' })
    else this.#output.push(chunk)
  }

  #onError(chunk: Buffer): void {
    if (!this.#mayRead(chunk)) return
    this.#errors.push(this.#errorGreeting.push(chunk))
    this.#moved()
  }

  #started(): void {
    this.#connecting.stop()
    this.#limit('stall')
    this.#order.onStart?.()
  }

  #limit(why: 'stall' | 'total'): void {
    const seconds = this.#order.limits[why]
    if (seconds <= 0) return
    this.#timers.set(why, new AwakeTimer(seconds, () => this.#end({ why, seconds })))
  }

  #stopTimers(): void {
    this.#connecting.stop()
    for (const timer of this.#timers.values()) timer.stop()
  }

  #moved(): void {
    if (!this.#stop) this.#timers.get('stall')?.refresh()
  }

  readonly #abort = () => this.#end({ why: 'abort' })

  /** An error that a callback throws ends this session, and nothing else. */
  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#end({ why: 'error', error })
    }
  }

  #end(stop: Stop): void {
    if (this.#stop) return
    this.#stop = stop
    this.#stopTimers()
    void this.#child.kill()
    for (const stream of [this.#child.process.stdout, this.#child.process.stderr]) stream.destroy()
  }
}

/** A script for a shell that runs already. */
export interface FurtherScript {
  script: string
  onLine?: ((line: string) => void) | undefined
  /** Seconds; 0 is no limit. */
  totalTimeoutS: number
  /** Most characters of stdout that are kept. */
  maxOutputBytes: number
  signal: AbortSignal
}

/** A shell that stays on a server and runs scripts, one at a time. */
export interface RunningShell {
  /** Undefined when the shell is busy or has ended. If it ends meanwhile, nobody knows what the script has done. */
  run(script: FurtherScript): Promise<SessionResult | undefined>
  /** Settles when the shell has ended. */
  readonly ended: Promise<unknown>
}
