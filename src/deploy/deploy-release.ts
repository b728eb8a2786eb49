import { rm } from 'node:fs/promises'
import type { Outcome } from '../fleet/command.ts'
import type { Server } from '../fleet/ssh/server.ts'
import type { DeployReport } from '../report/deploy-report.ts'
import { defined } from '../system/defined.ts'
import { makeTemporaryDirectory } from '../system/temporary-directory.ts'
import { author } from './context/author.ts'
import type { Context } from './context/context.ts'
import { Deltas } from './deltas/deltas.ts'
import { failuresOf, tellFailures } from './outcome/fleet-error.ts'
import { tolerate } from './outcome/tolerate.ts'
import { packageRelease } from './package-release.ts'
import { deployToOf } from './paths/places.ts'
import { followServers, type Received } from './peers/follow-servers.ts'
import { startPeers } from './peers/start-peers.ts'
import { tidy, undo } from './peers/tidy.ts'
import { askAndLock } from './preflight/ask.ts'
import { inspect } from './preflight/preflight.ts'
import { checkSpace } from './preflight/space.ts'
import { closeReach, prepareReach } from './reach/reach.ts'
import { assertSameRevision, nameRelease } from './releases/choose/name-release.ts'
import { noteStaged } from './releases/staged.ts'
import { noteReceivingScript } from './scripts/releases/history-script.ts'
import { stopAndCount, swarmOf } from './swarm/deploy-swarm.ts'
import type { LazySwarm } from './swarm/lazy-swarm.ts'
import { whatIsSeeded } from './swarm/seeded.ts'
import { SCRIPT_TIMEOUT_S } from './timeouts.ts'
import { revisionOf } from './transfer/workspace/revision.ts'

/**
 * Brings the workspace to every server as a new release, unpacked and not yet published, or staged when the context says so. Sets
 * what shipit-deploy's other tasks and other plugins read: previousRelease, previousRevision, releaseDirname, releasePath,
 * currentRevision. Failed servers are left out as long as `tolerate` allows. Beyond that, the new release is removed everywhere
 * and this throws FLEET_FAILED.
 */
export async function deployRelease(context: Context, asked?: Promise<Outcome[]>): Promise<DeployReport> {
  const { shipit, fleet, record, signal } = context
  const { phases } = record
  const consequence = context.staging ? 'nothing was staged' : 'nothing was published'
  const clock = stopwatch()
  const board = context.display.board()
  const { facts, failures } = await inspect(context, asked ?? askAndLock(context))
  tolerate(context, failures, 'nothing was changed')
  phases.check = clock()
  const tag = nameRelease(context, facts)
  context.picture.describe({ release: tag })
  const revision = await revisionOf(shipit)
  shipit.currentRevision = revision
  assertSameRevision(context, revision)

  const directory = makeTemporaryDirectory('shipit-murder-')
  const unpacked = new Set<Server>()
  const { peers, missing } = startPeers(context, facts)
  const reaching = prepareReach(context, { facts, peers, uploaded: missing }, tag)
  const links = reaching.then((reach) => reach.links)
  links.catch(() => {}) // Whoever awaits them gets the failure.
  let swarm: LazySwarm | undefined
  /** Resolves when servers know of the transfer; undefined while nothing has changed on them. */
  let noted: Promise<void> | undefined
  const making = new Deltas(context, facts, directory, peers)
  try {
    const { deltas, made, gets, whole } = await packageRelease(context, { tag, directory, facts, making })
    phases.package = clock()
    const lengths = fleet.servers.map((server) => gets(server)?.length ?? 0)
    context.picture.describe({ size: Math.max(...lengths) })
    tolerate(context, checkSpace(fleet.servers, facts, gets, context.staging && 2), consequence)
    const withoutAgent = await missing
    signal.throwIfAborted()
    tolerate(context, withoutAgent, consequence)
    const noting = noteReceiving(context, tag, consequence)
    noted = noting.catch(() => {}) // Thrown below.
    board.step('seed')
    const started = swarmOf(context, { made, facts, reaching })
    swarm = started
    const [first, ...others] = whatIsSeeded(fleet.servers, made(), deltas)
    // Small deltas go with the orders: then nothing has to be reached, and nobody waits to find out how.
    if (first) tolerate(context, await (await reaching).filtered, consequence)
    const seeding = first && [started.start([first, ...others]), links]
    await Promise.all([noting, ...(seeding ?? [])])
    making.keeper.begin()
    phases.seed = clock()
    const taking = fleet.servers
    const isStaged = context.staging === true
    const received = await followServers(context, {
      whole,
      deltas,
      swarm,
      reach: (wanted) => started.reach(wanted),
      links,
      facts,
      peers,
      releasePath: shipit.releasePath ?? '',
      carries: true,
      isStaged,
      unpacked,
      ...defined({ revision }),
    })
    phases.transfer = received.transferSeconds
    phases.unpack = received.unpackSeconds
    if (signal.aborted) tellFailures(context, received.failures, { said: true })
    signal.throwIfAborted()
    tolerate(context, received.failures, consequence, { said: true })
    const lost = taking.filter((server) => !fleet.servers.includes(server))
    // A dead server answers late: the others publish without waiting for it.
    context.meanwhile(undo(context, tag, unpacked, lost))
    const [{ kept }] = await Promise.all([
      making.keeper.release(),
      stopAndCount(context, swarm),
      tidy(context, tag, received.peers),
    ])
    context.meanwhile(kept)
    swarm = undefined
    if (isStaged) await noteStaged(context, tag)
    return report(context, received)
  } catch (error) {
    await noted
    if (noted) await undo(context, tag, unpacked)
    throw error
  } finally {
    making.stop()
    for (const peer of peers.values()) peer.letGo() // Also peers that never got an order.
    if (swarm) await stopAndCount(context, swarm)
    await closeReach(reaching)
    await rm(directory, { recursive: true, force: true })
  }
}

/** Makes sure that the next deploy knows what this one leaves behind if it is killed. */
async function noteReceiving(context: Context, tag: string, consequence: string): Promise<void> {
  const noted = author()
  const note = (server: Server) => ({
    script: noteReceivingScript(deployToOf(context.shipit, server), noted, tag),
  })
  const options = { signal: context.signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
  const outcomes = await context.fleet.run('check', note, options)
  context.signal.throwIfAborted()
  tolerate(context, failuresOf(outcomes, 'check'), consequence)
}

/** Returns the seconds since its last call. */
function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const elapsed = (performance.now() - last) / 1000
    last = performance.now()
    return elapsed
  }
}

function report(
  { fleet, leftOut, record, settings }: Pick<Context, 'fleet' | 'leftOut' | 'record' | 'settings'>,
  { perServer }: Received,
): DeployReport {
  const { size, packaged, phases, seederUploaded, last } = record
  const servers = fleet.all.length
  const figures = { size, packaged, servers, phases, perServer, seederUploaded }
  return { ...figures, failures: leftOut, between: settings.between, ...defined({ last }) }
}
