import { PassThrough } from 'node:stream'
import { AwakeTimer } from '../system/awake-timer.ts'
import type { Outcome } from './command.ts'
import type { Fleet } from './fleet.ts'
import {
  furtherScript,
  HAS_ENDED,
  IS_HERE,
  PULSE,
  PULSE_TO_ANSWER,
  SAID_ALL,
} from './persistent-shell-script.ts'
import type { ScriptLibrary, ServerLibrary } from './script-library.ts'
import { LACKS_LIBRARY, openLibrary } from './script-library-script.ts'
import { outOfTime, outputTooLong } from './ssh/messages/diagnose.ts'
import type { Server } from './ssh/server.ts'
import type { FurtherScript, RunningShell, SessionResult, Stop } from './ssh/session.ts'

/** Between two signs of life to the shell. Firewalls and sshd (ChannelTimeout) forget a connection that is silent for longer. */
const PULSE_MS = 2000
/** After this many signs of life without an answer the shell counts as gone. */
const MAX_UNANSWERED = 9
/** How long the shell may take to end once its input has ended. */
const CLOSE_TIMEOUT_MS = 2000
/** Characters of its first answer. */
const MAX_ANSWER_CHARACTERS = 4 << 20
/** Bytes that all its scripts may print at once; each of them has a limit of its own. */
const MAX_OUTPUT_BYTES = 128 << 20
/** Lines of a script's standard error. */
const MAX_ERROR_LINES = 100

/**
 * A command that prints an answer and then stays until its standard input ends: by `close`, or when this process ends, however it
 * ends. So the command can hold a lock for as long as this process lives. A command that ends in `stay` also runs scripts, one at
 * a time, with neither an ssh process here nor a session of sshd there. Where there is no connection to the server yet, its own
 * connection becomes the one that all others share.
 */
export class PersistentShell implements RunningShell {
  /** Its output up to `SAID_ALL`, or how it ended before that. */
  readonly said: Promise<Outcome>
  /** Settles when the command has ended. Never rejects. */
  readonly ended: Promise<Outcome>
  readonly #giveUp = new AbortController()
  #input: PassThrough | undefined
  /** What the shell knows by its number once it has said all. */
  readonly #library: ScriptLibrary | undefined
  /** Gets the next lines. */
  #listener: (line: string) => void
  #over = false
  #busy = true
  #unanswered = 0

  /**
   * `answerTimeout`: seconds until its answer must be complete. `signal` ends it only before that. With a library all scripts are
   * sent by the numbers of their lines.
   */
  constructor(
    fleet: Fleet,
    server: Server,
    order: {
      step: string
      script: string
      answerTimeout: number
      signal: AbortSignal
      library?: ServerLibrary
    },
  ) {
    const { step, script, answerTimeout, signal, library } = order
    this.#library = library?.library.after(script)
    const lines: string[] = []
    let length = 0
    let heard = (_: Outcome) => {}
    const spoken = new Promise<Outcome>((resolve) => {
      heard = resolve
    })
    let timer: AwakeTimer | undefined
    let askedFor: ScriptLibrary | undefined
    const stdin = () => {
      this.#input = new PassThrough()
      askedFor = library?.library
      timer ??= new AwakeTimer(answerTimeout, () =>
        this.#giveUp.abort(outOfTime('total', answerTimeout, server.label, step)),
      )
      return this.#input
    }
    this.#listener = (line) => {
      if (line === LACKS_LIBRARY && askedFor) {
        this.#input?.write(askedFor.line)
        askedFor = undefined
        return
      }
      if (line !== SAID_ALL) {
        length += line.length + 1
        if (length > MAX_ANSWER_CHARACTERS) return this.#giveUp.abort(outputTooLong(server.label, step))
        return lines.push(line)
      }
      this.#listener = () => {}
      this.#busy = false
      return heard({ server, ok: true, stdout: lines.join('\n'), stderr: '' })
    }
    const abort = () => this.#giveUp.abort(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    const onLine = (line: string) => {
      if (line === IS_HERE) this.#unanswered = 0
      else this.#listener(line)
    }
    const command = { script: library ? inShell(script, library) : script, stdin, onLine }
    const options = { signal: this.#giveUp.signal, stays: true, maxOutputBytes: MAX_OUTPUT_BYTES }
    this.ended = fleet.runOn(server, step, command, options).then((outcome) => {
      this.#over = true
      return outcome.ok ? { ...outcome, stdout: lines.join('\n') } : outcome
    })
    this.said = Promise.race([spoken, this.ended])
    void this.said.then(() => {
      timer?.stop()
      signal.removeEventListener('abort', abort)
    })
    const pulse = setInterval(() => this.#pulse(), PULSE_MS)
    pulse.unref()
    void this.ended.then(() => clearInterval(pulse))
  }

  /** Only an idle shell is asked to answer, because its answer could not be recognized in a script's output. */
  #pulse(): void {
    if (this.#busy) return void this.#input?.write(PULSE)
    if (this.#unanswered++ === MAX_UNANSWERED) this.#giveUp.abort()
    else this.#input?.write(PULSE_TO_ANSWER)
  }

  async run({
    script,
    onLine,
    totalTimeoutS,
    maxOutputBytes,
    signal,
  }: FurtherScript): Promise<SessionResult | undefined> {
    if (this.#busy || this.#over) return undefined
    this.#busy = true
    const answer = new Answer(onLine, maxOutputBytes)
    this.#listener = (line) => answer.take(line)
    const late = () => answer.stop({ why: 'total', seconds: totalTimeoutS })
    const timer = totalTimeoutS > 0 ? new AwakeTimer(totalTimeoutS, late) : undefined
    const abort = () => answer.stop({ why: 'abort' })
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    else this.#input?.write(furtherScript(this.#library?.name(script) ?? script))
    const result = await Promise.race([answer.result, this.ended.then(() => undefined)])
    timer?.stop()
    signal.removeEventListener('abort', abort)
    this.#listener = () => {}
    // After a timeout the script may still print.
    this.#busy = result === undefined || result.stop !== undefined
    return result
  }

  /** Ends its input and waits until it has ended. */
  async close(): Promise<void> {
    this.#over = true
    this.#input?.end()
    const timer = setTimeout(() => this.#giveUp.abort(), CLOSE_TIMEOUT_MS)
    await this.ended
    clearTimeout(timer)
  }
}

/** A script by its numbers, behind what makes these known. */
const inShell = (script: string, { library, path }: ServerLibrary): string =>
  `${openLibrary(path, library.sha256)}; ${library.name(script)}`

/** Takes the output of a further script line by line. */
class Answer {
  readonly result: Promise<SessionResult>
  readonly #onLine: ((line: string) => void) | undefined
  readonly #maxOutputBytes: number
  readonly #output: string[] = []
  #length = 0
  #blank = false
  /** Its exit code, then lines of standard error, once it has ended. */
  #ending: string[] | undefined
  #resolve: (result: SessionResult) => void = () => {}

  constructor(onLine: ((line: string) => void) | undefined, maxOutputBytes: number) {
    this.#onLine = onLine
    this.#maxOutputBytes = maxOutputBytes
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  take(line: string): void {
    if (this.#ending && line === SAID_ALL) this.#finish(this.#ending)
    else if (this.#ending) {
      this.#ending.push(line)
      if (this.#ending.length > MAX_ERROR_LINES) this.#ending.splice(1, 1) // the exit code stays
    } else if (line === HAS_ENDED) this.#ending = []
    else {
      // The mark follows an empty line. That line is the script's own only when something else follows it.
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
    if (this.#length > this.#maxOutputBytes) return this.stop({ why: 'output' })
    this.#output.push(`${line}\n`)
    return undefined
  }

  #finish([code = '', ...errors]: string[]): void {
    const stdout = this.#output.join('')
    this.#resolve({ exitCode: Number(code), signal: null, started: true, stdout, stderr: errors.join('\n') })
  }
}
