import type { OutputEvent } from '../../report/events.ts'
import type { Failure } from '../../report/failures.ts'
import { GitLabSections } from '../../report/gitlab-sections.ts'
import { ProgressBoard, type Watcher } from '../../report/live/board.ts'
import { type OutputMode, wantsColour } from '../../report/output.ts'
import type { RunRecord } from '../../report/run-record.ts'

export interface Display {
  readonly mode: OutputMode
  /** The progress display. It is made when it is first needed. */
  board(): ProgressBoard
  /** Reports a failure that a table will also show. Starts no progress display, except for JSON. */
  fail(failure: Failure): void
  /** Ends the progress display, so that other text can follow. */
  finish(): void
}

/** Shows a run on this process's output. `onEvent` gets every event, whatever is written; `watcher` all progress. */
export class RunDisplay implements Display {
  readonly mode: OutputMode
  readonly #record: RunRecord
  readonly #onEvent: (event: OutputEvent) => void
  readonly #watcher: Watcher | undefined
  readonly #sections: GitLabSections | undefined
  #board: ProgressBoard | undefined

  constructor(mode: OutputMode, record: RunRecord, onEvent: (event: OutputEvent) => void, watcher?: Watcher) {
    this.mode = mode
    this.#record = record
    this.#onEvent = onEvent
    this.#watcher = watcher
    if (mode === 'plain' && process.env.GITLAB_CI === 'true')
      this.#sections = new GitLabSections(process.stdout)
  }

  board(): ProgressBoard {
    this.#board ??= this.#makeBoard()
    return this.#board
  }

  fail(failure: Failure): void {
    if (this.#board || this.mode === 'json') this.board().fail(failure, { quietly: true })
    else this.#onEvent({ event: 'failed', ...failure })
  }

  finish(): void {
    this.#board?.finish()
    this.#board = undefined
    this.#sections?.end()
  }

  #makeBoard(): ProgressBoard {
    const { servers } = this.#record
    const labelsOf = (ending: 'done' | 'failed') =>
      servers.flatMap(({ server, outcome }) => (outcome === ending ? [server] : []))
    return new ProgressBoard({
      servers: servers.map(({ server }) => server),
      done: labelsOf('done'),
      failed: labelsOf('failed'),
      mode: this.mode,
      stream: process.stdout,
      shared: [process.stderr],
      colour: wantsColour(process.env, process.stdout),
      watcher: this.#watcher,
      onEvent: (event) => {
        if (event.event === 'step') this.#sections?.begin(event.step)
        this.#onEvent(event)
      },
    })
  }
}

/**
 * The same display without progress in a log: for steps of a few seconds, which print their result. A terminal and JSON still
 * show progress.
 */
export function withoutProgress(display: Display): Display {
  const { mode } = display
  if (mode !== 'plain') return display
  const silent = new ProgressBoard({ servers: [], mode: 'json', stream: { write: () => true } })
  silent.finish()
  return {
    mode,
    board: () => silent,
    fail: (failure) => display.fail(failure),
    finish: () => display.finish(),
  }
}
