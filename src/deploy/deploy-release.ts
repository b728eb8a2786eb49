import { rm } from 'node:fs/promises'
import { posix } from 'node:path'
import { explain, MurderError } from '../errors.ts'
import type { Outcome } from '../fleet/fleet.ts'
import type { Server } from '../fleet/ssh/server.ts'
import type { DeployReport } from '../report/deploy-report.ts'
import { defined } from '../system/defined.ts'
import { makeTemporaryDirectory } from '../system/temporary-directory.ts'
import { author } from './context/author.ts'
import type { Context } from './context/context.ts'
import { shipitCommand } from './context/shipit-command.ts'
import { Deltas } from './deltas/deltas.ts'
import { Placement } from './hosts/placement.ts'
import { failuresOf, tellFailures } from './outcome/fleet-error.ts'
import { tolerate } from './outcome/tolerate.ts'
import { deployToOf } from './paths/places.ts'
import { releasesPath } from './paths/server-paths.ts'
import { followServers, type Received } from './peers/follow-servers.ts'
import { startPeers } from './peers/start-peers.ts'
import { tidy, undo } from './peers/tidy.ts'
import { askAndLock } from './preflight/ask.ts'
import { type FleetFacts, inspect } from './preflight/preflight.ts'
import { checkSpace } from './preflight/space.ts'
import { hasZstd } from './preflight/verdict.ts'
import { prepareReach } from './reach/reach.ts'
import { mostCommon } from './releases/choose/choose-release.ts'
import { noteStaged } from './releases/staged.ts'
import { noteReceivingScript } from './scripts/releases/history-script.ts'
import { LateSwarm } from './swarm/late-swarm.ts'
import { whatIsSeeded } from './swarm/seeded.ts'
import { startSwarm } from './swarm/start-swarm.ts'
import type { Swarm } from './swarm/swarm.ts'
import { SCRIPT_TIMEOUT_S } from './timeouts.ts'
import { compressionNote } from './transfer/compression-note.ts'
import { makeTransfer } from './transfer/make-transfer.ts'
import { revisionOf } from './transfer/revision.ts'
import { timeTag } from './transfer/time-tag.ts'
import type { Transfer } from './transfer/transfer.ts'

/**
 * Brings the workspace to every server as a new release, unpacked and not yet published, or staged when the context says so. Sets what shipit-deploy's other tasks and
 * other plugins read: previousRelease, previousRevision, releaseDirname, releasePath, currentRevision. Servers that fail are left
 * out while `tolerate` allows it. When it does not, the new release is removed everywhere and this throws FLEET_FAILED.
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
  checkSame(context, revision)

  const directory = makeTemporaryDirectory('shipit-murder-')
  const unpacked = new Set<Server>()
  const { peers, missing } = startPeers(context, facts)
  const reaching = prepareReach(context, { facts, peers, uploaded: missing }, tag)
  let swarm: LateSwarm | undefined
  let isTouched = false
  const making = new Deltas(context, facts, directory, peers)
  try {
    const transfer = await makeTransfer(context, {
      tag,
      directory,
      zstdEverywhere: [...facts.values()].every(hasZstd),
      peers: fleet.servers.length,
      onScanned: (root, entries) => making.begin(root, entries),
    })
    const note = compressionNote(context.settings, transfer)
    if (note !== undefined) board.log(note)
    const deltas = await making.choose(transfer)
    phases.package = clock()
    record.size = transfer.length
    context.picture.describe({ size: transfer.length })
    tolerate(context, checkSpace(fleet.servers, facts, transfer, context.staging && 2), consequence)
    const withoutAgent = await missing
    signal.throwIfAborted()
    tolerate(context, withoutAgent, consequence)
    isTouched = true
    await noteReceiving(context, tag, consequence)
    making.keeper.begin()
    board.step('seed')
    const reach = await reaching
    const { isNeeded, seeded } = whatIsSeeded(fleet.servers, transfer, deltas)
    const started = new LateSwarm(new Placement(context, facts), async () => {
      const running = await startSwarm(context, seeded, facts, reach)
      warnWhenBroken(context, running)
      tellSeeding(context, transfer, running)
      return running
    })
    swarm = started
    if (isNeeded) await started.start()
    const links = await reach.links
    phases.seed = clock()
    const taking = fleet.servers
    const releasePath = shipit.releasePath ?? ''
    const isStaged = context.staging === true
    const common = { transfer, swarm, facts, releasePath, carries: true, isStaged, unpacked, peers }
    const plan = { ...common, deltas, reach: (wanted: Transfer) => started.reach(wanted), links }
    const received = await followServers(context, { ...plan, ...defined({ revision }) })
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
    if (isTouched) await undo(context, tag, unpacked)
    throw error
  } finally {
    making.stop()
    for (const peer of peers.values()) peer.letGo() // Also those that never got an order.
    if (swarm) await stopAndCount(context, swarm)
    await (await reaching).close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** From now on the next deploy knows what this one has left, should it be killed. */
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

/** For other plugins. */
function tellSeeding({ shipit, settings }: Context, transfer: Transfer, swarm: Swarm): void {
  const { tag, infoHash, length } = transfer
  const { trackerPort, seederPort } = swarm
  shipit.emit('murder:seeding', { tag, infoHash, length, trackerPort, seederPort, seeder: settings.seeder })
}

/** Gives the seconds since its last call. */
function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const elapsed = (performance.now() - last) / 1000
    last = performance.now()
    return elapsed
  }
}

/** A retry must deploy the same revision. Throws RETRY_CHANGED. */
function checkSame({ again, shipit }: Context, revision: string | undefined): void {
  if (!again || again.revision === null || again.revision === revision) return
  throw new MurderError(
    'RETRY_CHANGED',
    `${again.release} was made of ${again.revision}, now it would be ${revision}`,
    {
      cure: `deploy to all servers instead: ${shipitCommand(shipit.environment, 'deploy')}`,
    },
  )
}

/** Names the new release, and the one that was live before on most servers. */
function nameRelease({ shipit, again }: Context, facts: FleetFacts): string {
  const releases = releasesPath(deployToOf(shipit))
  const live = [...facts.values()].flatMap((found) => found.currentRelease ?? [])
  const before = mostCommon(live)
  const newest = [...facts.values()].map((found) => found.newestRelease)
  const tag = again?.release ?? timeTag(newest)
  shipit.previousRelease = before ?? null
  shipit.previousRevision =
    [...facts.values()].find((found) => found.currentRelease === before)?.revision ?? null
  shipit.releaseDirname = tag
  shipit.releasePath = posix.join(releases, tag)
  return tag
}

/** Peers go on without a tracker, and without a seeder once they have everything between them. */
function warnWhenBroken(context: Context, swarm: Swarm): void {
  void swarm.broken.then((error) => {
    if (error) context.display.board().log(explain(error))
  })
}

/** Losing the seeder's server after the transfer does not fail the deploy. */
async function stopAndCount(context: Context, swarm: LateSwarm): Promise<void> {
  try {
    await swarm.stop()
  } catch (error) {
    context.display.board().log(explain(error))
  }
  // A seeder that was killed last reported some seconds before.
  const had = context.record.servers.reduce((sum, { fromSeeder }) => sum + fromSeeder, 0)
  context.record.seederUploaded = Math.max(swarm.sent(), had)
}

function report({ fleet, leftOut, record }: Context, { perServer }: Received): DeployReport {
  const { size, phases, seederUploaded, last } = record
  const servers = fleet.all.length
  return { size, servers, phases, perServer, seederUploaded, failures: leftOut, ...defined({ last }) }
}
