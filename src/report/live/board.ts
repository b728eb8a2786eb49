import { defined } from '../../system/defined.ts'
import { jsonLine, withoutCommands } from '../../text/ci-commands.ts'
import { duration, oneLine } from '../../text/format.ts'
import { type DeployReport, reportTable } from '../deploy-report.ts'
import { type OutputEvent, progressEvent, reportEvent } from '../events.ts'
import type { Failure } from '../failures.ts'
import { columnsOf, type OutputMode, type OutputStream, paint } from '../output.ts'
import { AlikeLines } from './alike-lines.ts'
import { type Clock, systemClock } from './clock.ts'
import { EtaEstimator } from './eta.ts'
import {
  type LocalStep,
  type Progress,
  presentStep,
  type ServerState,
  type Step,
  type Summary,
  summarize,
} from './fleet-progress.ts'
import { LiveBlock } from './live-block.ts'
import { plainLine, terminalLines } from './progress-lines.ts'
import { SteadyWidth } from './steady-width.ts'

/** How often the board checks whether there is something to write. */
const intervalsMs: Record<OutputMode, number> = { terminal: 100, plain: 1000, json: 1000 }
/** A log gets a line after this time even when nothing has changed, as a sign of life. */
const HEARTBEAT_MS = 5000
/** A log has a line for so many servers that are done, as many as the report's table has; then only their number. */
const MAX_DONE_LINES = 40

const idle: ServerState = { phase: 'check', bytes: 0, total: 0, rate: 0 }

/** The fields that a server keeps when it enters another phase. */
function afterPhase(before: ServerState | undefined): ServerState {
  const transferred = before?.phase === 'transfer' ? before.total : before?.transferred
  return { ...idle, ...defined({ transferred }) }
}

export interface BoardOptions {
  servers: readonly string[]
  /** Servers that an earlier display has already shown as done, or as failed. */
  done?: readonly string[]
  failed?: readonly string[]
  mode: OutputMode
  stream: OutputStream
  /** Streams that others write to meanwhile. On a terminal their lines go above the display. */
  shared?: readonly OutputStream[]
  colour?: boolean
  clock?: Clock
  /** Gets every event, in every mode. */
  onEvent?: (event: OutputEvent) => void
  /** Gets the progress of each server, and the seeder's bytes, whenever the board does. */
  watcher?: Watcher | undefined
}

export interface Watcher {
  state(server: string, state: ServerState): void
  seeder(uploaded: number): void
}

/**
 * The progress display of a deploy. It takes events in any order, as often as you like, and writes at its own pace.
 * `finish` ends it (also after a failure) and may be called twice.
 */
export class ProgressBoard {
  readonly #options: BoardOptions
  readonly #clock: Clock
  readonly #states = new Map<string, ServerState>()
  readonly #block: LiveBlock
  readonly #stops: (() => void)[]
  readonly #eta = new EtaEstimator()
  #local: ({ step: LocalStep } & Progress) | undefined
  #seederUploaded = 0
  #step: Step | undefined
  #changed = true
  /** When each server began to transfer: milliseconds since 1970. */
  readonly #began = new Map<string, number>()
  readonly #alike = new AlikeLines()
  readonly #width = new SteadyWidth()
  /** The last line of a log. */
  #line = ''
  #doneLines = 0
  #writtenAt = Number.NEGATIVE_INFINITY

  constructor(options: BoardOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    for (const server of options.servers) this.#states.set(server, idle)
    for (const phase of ['done', 'failed'] as const)
      for (const server of options[phase] ?? []) this.#states.set(server, { ...idle, phase })
    this.#block = new LiveBlock(options.stream)
    this.#stops = [this.#clock.every(intervalsMs[options.mode], () => this.#tick())]
    if (options.mode === 'terminal')
      this.#stops.push(this.#block.guard([options.stream, ...(options.shared ?? [])]))
    this.#noteStep()
  }

  /** Changes the state of `server`. A new phase starts from 0 bytes unless the patch says otherwise. */
  update(server: string, patch: Partial<ServerState>): void {
    const before = this.#states.get(server)
    const entered = before === undefined || (patch.phase !== undefined && patch.phase !== before.phase)
    const start = entered ? { ...afterPhase(before), phase: before?.phase ?? idle.phase } : before
    const state = { ...start, ...patch }
    this.#states.set(server, state)
    this.#options.watcher?.state(server, state)
    this.#changed = true
    if (!entered) return
    if (state.phase === 'transfer' || state.phase === 'unpack') this.#local = undefined
    const { phase, bytes, total } = state
    this.#event({ event: 'server', server, phase, bytes, total })
    if (phase === 'transfer') this.#began.set(server, this.#clock.now())
    if (phase === 'done' && this.#options.mode === 'plain') this.#tellDone(server)
    this.#noteStep()
  }

  /** Progress as the agent reports it. A server that had everything transfers nothing, and needs no line. */
  #tellDone(server: string): void {
    const began = this.#began.get(server)
    if (began === undefined || ++this.#doneLines > MAX_DONE_LINES + 1) return
    if (this.#doneLines > MAX_DONE_LINES) return this.#print('more servers: Done and done')
    this.#print(`${oneLine(server)}: Done and done, ${duration((this.#clock.now() - began) / 1000)}`)
  }

  /** `failure.server` has failed. That is printed at once, unless `quietly`. A table at the end gives the causes. */
  fail(failure: Failure, { quietly = false } = {}): void {
    this.update(failure.server, { phase: 'failed' })
    this.#event({ event: 'failed', ...failure })
    if (this.#options.mode === 'json' || quietly) return
    const text = this.#alike.take(`${failure.server} failed (${failure.step})`, failure.server)
    if (text !== undefined) this.#print(paint(this.#options.colour ?? false).bad(oneLine(text)))
  }

  /** The deploy host begins `step`, which lasts until its next step, or until a server transfers or unpacks. */
  step(step: LocalStep, progress: Partial<Progress> = {}): void {
    this.#local = { step, bytes: 0, total: 0, rate: 0, ...progress }
    this.#changed = true
    this.#noteStep()
  }

  /** Bytes that the seeder has sent so far. */
  seeder(uploaded: number): void {
    this.#seederUploaded = uploaded
    this.#options.watcher?.seeder(uploaded)
    this.#changed = true
  }

  /** A line of its own, above the display; where it is about a `server`, only as long as few have the same. */
  log(message: string, server?: string): void {
    this.#event({ event: 'log', message })
    const shown = server === undefined ? message : this.#alike.take(message, server)
    if (this.#options.mode !== 'json' && shown !== undefined) this.#print(shown)
  }

  /** Writes the last state and ends the display. */
  finish(): void {
    if (this.#stops.length === 0) return
    for (const stop of this.#stops.splice(0)) stop()
    const summary = this.#summary()
    if (this.#options.mode === 'terminal') {
      const [swarm = ''] = terminalLines(summary, this.#columns, this.#options.colour)
      this.#block.print(swarm)
    } else if (this.#options.mode === 'json' ? this.#changed : plainLine(summary) !== this.#line)
      this.#write(summary)
  }

  /** Ends the display and writes the report. */
  report(report: DeployReport): void {
    this.finish()
    this.#event(reportEvent(report))
    if (this.#options.mode === 'json') return
    const text = reportTable(report, this.#columns, this.#options.colour)
    this.#options.stream.write(`\n${withoutCommands(text)}\n`)
  }

  get #columns(): number {
    return columnsOf(this.#options.stream)
  }

  #summary(): Summary {
    const now = this.#clock.now() / 1000
    return summarize(this.#states, this.#seederUploaded, this.#local, (step, progress) =>
      this.#eta.take(now, step, progress),
    )
  }

  #tick(): void {
    if (this.#isDue()) this.#write(this.#summary())
  }

  #isDue(): boolean {
    const { mode } = this.#options
    const now = this.#clock.now()
    if (mode === 'plain') return now - this.#writtenAt >= HEARTBEAT_MS
    if (mode === 'json') return this.#changed
    if (this.#width.changed(this.#columns, now)) this.#changed = true
    return this.#width.isSteady(now) && (this.#changed || !this.#block.visible)
  }

  /** In a log a new step is written at once, on a line of its own. A terminal shows it with the next redraw. */
  #noteStep(): void {
    const step = presentStep(this.#states, this.#local)
    if (step === this.#step) return
    this.#step = step
    this.#event({ event: 'step', step })
    if (this.#options.mode === 'plain') this.#write(this.#summary())
  }

  #write(summary: Summary): void {
    const { mode, stream, colour } = this.#options
    this.#changed = false
    this.#writtenAt = this.#clock.now()
    if (mode === 'json') this.#event(progressEvent(summary))
    else if (mode === 'plain') {
      this.#line = plainLine(summary)
      stream.write(`${withoutCommands(this.#line)}\n`)
    } else this.#block.show(terminalLines(summary, this.#columns, colour))
  }

  #print(line: string): void {
    const text = withoutCommands(line)
    if (this.#options.mode === 'terminal') this.#block.print(text)
    else this.#options.stream.write(`${text}\n`)
    this.#changed = true
  }

  #event(event: OutputEvent): void {
    this.#options.onEvent?.(event)
    if (this.#options.mode !== 'json') return
    const { event: name, ...fields } = event
    const time = new Date(this.#clock.now()).toISOString()
    this.#options.stream.write(jsonLine({ event: name, time, ...fields }))
  }
}
