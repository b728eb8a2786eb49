import type { Settings } from '../../config/schema.ts'
import type { Outcome } from '../../fleet/command.ts'
import { Fleet } from '../../fleet/fleet.ts'
import { type Server, toServers } from '../../fleet/ssh/server.ts'
import type { Manifest } from '../../package/delta/format/manifest.ts'
import { PictureRecorder } from '../../page/model/recorder.ts'
import type { OutputEvent } from '../../report/events.ts'
import type { Failure } from '../../report/failures.ts'
import { outputMode } from '../../report/output.ts'
import { RunRecord } from '../../report/run-record.ts'
import type { Shipit } from '../../shipit.ts'
import { oneLine } from '../../text/format.ts'
import { say } from '../outcome/say.ts'
import { placesOf } from '../paths/places.ts'
import type { RolloutState } from '../rollout/state.ts'
import { DeployLog } from './deploy-log.ts'
import { type Display, RunDisplay } from './display.ts'
import { Interrupt } from './interrupt.ts'
import { FleetLock } from './lock/fleet-lock.ts'
import { refuseChoiceOfPeers } from './servers/choose-servers.ts'
import { findConnections } from './servers/connections.ts'
import { commandsEnded, watchCommands } from './servers/ssh-pool.ts'
import { settingsOf } from './settings-of.ts'
import { unconfirmedNotes } from './unconfirmed-notes.ts'

/** What a task needs to work on the servers, and to tell people of it. */
export interface TaskContext {
  readonly shipit: Shipit
  readonly settings: Settings
  readonly fleet: Fleet
  /** The path or name of Node on each server, as the check found it. */
  readonly nodes: Map<Server, string>
  readonly display: Display
  /** Aborted when the run is interrupted. */
  readonly signal: AbortSignal
}

/** All that the steps of one `npx shipit …` share. Only what directs a whole run takes it; others take the parts that they use. */
export interface Context extends TaskContext {
  /** The release that a retry repeats, because some servers lack it, and what the others got as it, where that is known. */
  again?: { release: string; revision: string | null; delivered?: Manifest | undefined }
  /** The release is staged: a later deploy will publish it. */
  staging?: true
  /** The rollout that this run continues. */
  resumed?: RolloutState
  /** Why servers were left out of this run so far. */
  readonly leftOut: Failure[]
  /** Held while a deploy or a rollback runs. */
  readonly lock: FleetLock
  readonly record: RunRecord
  /** For the page. */
  readonly picture: PictureRecorder
  readonly log: DeployLog
  /** Its signal is `signal`. */
  readonly interrupt: Interrupt
  /** Work that only the end of the run waits for, before it releases the lock. It must not reject. */
  meanwhile(work: Promise<unknown>): void
  close(): Promise<void>
}

const contexts = new WeakMap<Shipit, Context>()
/** The contexts of single tasks, when `murder.peers` is set. */
const peersContexts = new WeakMap<Shipit, Context>()

/** The context of this run, made by the first task that needs it. Throws SETTINGS, NO_SERVERS, SAME_SERVER, BAD_SERVER. */
export function contextOf(shipit: Shipit): Context {
  return remembered(contexts, shipit)
}

/** The context of single tasks, whose fleet is `murder.peers` when that is set. */
export function taskContextOf(shipit: Shipit): Context {
  const { peers } = settingsOf(shipit).settings
  if (peers) refuseChoiceOfPeers(shipit)
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
  const { settings, notes } = settingsOf(shipit)
  const { environment } = shipit
  const mode = outputMode(process.env, process.stdout)
  const { connections, besides } = findConnections(shipit, settings, peers)
  watchCommands(connections)
  const log = new DeployLog(shipit)
  if (settings.notify.url !== undefined) log.hide(settings.notify.url)
  const servers = toServers(connections)
  const record = new RunRecord(servers)
  const picture = new PictureRecorder(
    environment,
    servers.map(({ label }) => label),
  )
  const fleet = new Fleet(connections, {
    besides,
    concurrency: settings.concurrency,
    connectSeconds: settings.timeouts.connect || 10,
    retries: settings.retries,
    onCommand: (server, step, seconds, outcome) => {
      if (outcome === 'again') record.retried(server.label)
      log.line(`${server.label} ${step} ${describeOutcome(outcome)} ${seconds.toFixed(2)} s`)
    },
  })
  const lock = new FleetLock(
    fleet,
    { at: (server) => placesOf({ settings, shipit }, server), environment },
    `deploy of ${environment}`,
    {
      lost: ({ label }) => shipit.log(`${label}: somebody else has published there since the lock was lost`),
      drained: ({ label }, about) =>
        shipit.log(`${label} was left out of service by ${oneLine(about)}; ${putsBack(settings)}`),
      unconfirmed: (found) => {
        for (const { text, ...fields } of unconfirmedNotes(found))
          say({ display, shipit }, text, 'unconfirmed', fields)
      },
    },
  )
  const interrupt = new Interrupt(shipit)
  const onEvent = (event: OutputEvent) => {
    record.take(event)
    picture.take(event)
    log.event(event)
    tellPlugins(shipit, record, event)
  }
  const display = new RunDisplay(mode, record, onEvent, picture)
  for (const note of notes) say({ display, shipit }, note)
  const pending: Promise<unknown>[] = []
  return {
    shipit,
    settings,
    fleet,
    nodes: new Map(),
    leftOut: [],
    lock,
    record,
    picture,
    log,
    display,
    interrupt,
    signal: interrupt.signal,
    meanwhile: (work) => void pending.push(work),
    async close() {
      display.finish()
      await Promise.all(pending)
      await lock.release()
      // Their connections end with this run's.
      await commandsEnded(connections, (commands) => {
        shipit.log(`Waiting until commands of the shipitfile or of plugins end: ${commands.join('; ')}`)
      })
      interrupt.close()
      await lock.close()
      await fleet.close()
    },
  }
}

const putsBack = ({ rollout }: Settings) =>
  rollout.after === undefined && rollout.local.afterGroup === undefined
    ? 'no murder.rollout.after is set: put it back by hand'
    : 'publishing puts it back, and murder:resume'

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
