import { setMaxListeners } from 'node:events'
import { loadSettings, type Origins } from '../../config/load.ts'
import type { Settings } from '../../config/schema.ts'
import { Fleet, type Outcome } from '../../fleet/fleet.ts'
import type { SshConnection } from '../../fleet/ssh/server.ts'
import { ProgressBoard } from '../../report/board.ts'
import type { OutputEvent } from '../../report/events.ts'
import type { Failure } from '../../report/failures.ts'
import { type OutputMode, outputMode, wantsColour } from '../../report/output.ts'
import { RunRecord } from '../../report/run-record.ts'
import type { Shipit } from '../../shipit.ts'
import { connectionsTo, outsiders } from './connections.ts'
import { DeployLog } from './deploy-log.ts'
import { FleetLock } from './fleet-lock.ts'
import { commandsEnded, watchCommands } from './foreign-commands.ts'
import { onInterrupt } from './interrupt.ts'

/** What the steps of one `npx shipit …` share: settings, connections to the fleet, the display, the way to stop. */
export interface Context {
  readonly shipit: Shipit
  readonly settings: Settings
  readonly origins: Origins
  readonly fleet: Fleet
  /** What is to be repeated: the release that some servers lack. */
  again?: { release: string; revision: string | null }
  /** Why servers were left out of this run so far. */
  readonly leftOut: Failure[]
  /** Held while a deploy or a rollback runs. */
  readonly lock: FleetLock
  readonly record: RunRecord
  readonly log: DeployLog
  readonly mode: OutputMode
  /** Aborted by Ctrl-C, with a MurderError of exit code 130. */
  readonly signal: AbortSignal
  /** The display; made when it is first needed. */
  board(): ProgressBoard
  /** Tells of a failure that a table will say in words: a display that is not up is not made for that. */
  fail(failure: Failure): void
  /** Ends the display, so that other text can follow. */
  finishBoard(): void
  /** Runs a step that Ctrl-C ends in order. */
  during<T>(step: () => Promise<T>): Promise<T>
  /** Nobody waits for this work but the end of the run, before the lock is released. It must not reject. */
  meanwhile(work: Promise<unknown>): void
  close(): Promise<void>
}

const contexts = new WeakMap<Shipit, Context>()
/** Of single tasks, where they are about other servers. */
const peersContexts = new WeakMap<Shipit, Context>()

/** The context of this run, made by the first task that needs it. Throws SETTINGS, NO_SERVERS, SAME_SERVER, BAD_SERVER. */
export function contextOf(shipit: Shipit): Context {
  return remembered(contexts, shipit)
}

/** The same for single tasks, which `murder.peers` gives a fleet of their own. */
export function taskContextOf(shipit: Shipit): Context {
  const { peers } = settingsOf(shipit).settings
  return peers ? remembered(peersContexts, shipit, peers) : contextOf(shipit)
}

function remembered(known: WeakMap<Shipit, Context>, shipit: Shipit, peers?: string[]): Context {
  const before = known.get(shipit)
  if (before) return before
  const made = makeContext(shipit, peers)
  known.set(shipit, made)
  shipit.on('stop', () => {
    known.delete(shipit)
    void made.close()
  })
  return made
}

function makeContext(shipit: Shipit, peers?: string[]): Context {
  const { settings, origins } = settingsOf(shipit)
  const mode = outputMode(process.env, process.stdout)
  const pool = (shipit.pool?.connections ?? []) as unknown as SshConnection[]
  const connections = peers ? connectionsTo(peers, pool) : pool
  watchCommands(connections)
  const named = peers ?? shipit.config.servers
  const log = new DeployLog(shipit)
  const fleet: Fleet = new Fleet(connections, {
    besides: connectionsTo(outsiders(settings, named), pool),
    concurrency: settings.concurrency,
    connectSeconds: settings.timeouts.connect || 10,
    retries: settings.retries,
    onCommand: (server, step, seconds, outcome) => {
      if (outcome === 'again') record.retried(server.label)
      log.line(`${server.label} ${step} ${describeOutcome(outcome)} ${seconds.toFixed(2)} s`)
    },
  })
  const record = new RunRecord(fleet.all)
  const { environment } = shipit
  const lock = new FleetLock(
    fleet,
    { remotePath: settings.remotePath, environment },
    `deploy of ${environment}`,
  )
  const interrupt = new AbortController()
  // Every server waits for it: more than ten are a large fleet, and no leak that Node should warn of.
  setMaxListeners(0, interrupt.signal)
  let busy = 0
  const pending: Promise<unknown>[] = []
  const stopListening = onInterrupt(shipit, interrupt, () => busy > 0)
  let board: ProgressBoard | undefined
  const tell = (event: OutputEvent) => {
    record.take(event)
    log.event(event)
    tellPlugins(shipit, record, event)
  }
  return {
    shipit,
    settings,
    origins,
    fleet,
    leftOut: [],
    lock,
    record,
    log,
    mode,
    signal: interrupt.signal,
    board() {
      board ??= new ProgressBoard({
        servers: fleet.all.map(({ label }) => label),
        done: record.servers.flatMap(({ server, outcome }) => (outcome === 'done' ? [server] : [])),
        mode,
        stream: process.stdout,
        shared: [process.stderr],
        colour: wantsColour(process.env, process.stdout),
        onEvent: tell,
      })
      return board
    },
    fail(failure) {
      if (board || mode === 'json') this.board().fail(failure, true)
      else tell({ event: 'failed', ...failure })
    },
    finishBoard() {
      board?.finish()
      board = undefined
    },
    async during(step) {
      busy++
      try {
        return await step()
      } finally {
        busy--
      }
    },
    meanwhile(work) {
      pending.push(work)
    },
    async close() {
      board?.finish()
      await commandsEnded(connections) // Their connections end with this run's.
      stopListening()
      await Promise.all(pending)
      await lock.release()
      await fleet.close()
    },
  }
}

function describeOutcome(outcome: Outcome | 'again'): string {
  if (outcome === 'again') return 'is tried again'
  return outcome.ok ? 'ended well after' : `failed (${outcome.error.code}: ${outcome.error.message}) after`
}

/** Events for other plugins. */
function tellPlugins(shipit: Shipit, record: RunRecord, event: OutputEvent): void {
  if (event.event === 'failed') {
    const { event: _, ...failure } = event
    shipit.emit('murder:failed', failure)
  }
  if (event.event === 'server' && event.phase === 'done') {
    shipit.emit('murder:peer:done', record.server(event.server))
  }
}

/** Settings and where each came from. Needs no connection. Throws SETTINGS. */
export function settingsOf(shipit: Shipit): { settings: Settings; origins: Origins } {
  const { murder, deployTo, servers } = shipit.config
  return loadSettings({ file: murder, env: process.env, deployTo, servers, copy: shipit.config })
}
