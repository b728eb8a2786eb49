import { rm } from 'node:fs/promises'
import { posix } from 'node:path'
import { explain, MurderError } from '../errors.ts'
import type { Outcome } from '../fleet/fleet.ts'
import type { Server } from '../fleet/ssh/server.ts'
import type { DeployReport } from '../report/deploy-report.ts'
import { makeTemporaryDirectory } from '../system/temporary-directory.ts'
import type { Context } from './context/context.ts'
import { deployToOf, releasesPath } from './context/server-paths.ts'
import { tolerate } from './outcome/tolerate.ts'
import { type Received, receive } from './peers/follow-servers.ts'
import { canPrefill } from './peers/make-order.ts'
import { startReceivers } from './peers/start-peers.ts'
import { tidy, undo } from './peers/tidy.ts'
import { askAndLock } from './preflight/ask.ts'
import { type FleetFacts, inspect } from './preflight/preflight.ts'
import { checkSpace } from './preflight/space.ts'
import { hasZstd } from './preflight/verdict.ts'
import { mostCommon } from './releases/choose-release.ts'
import { startSwarm } from './swarm/start-swarm.ts'
import type { Swarm } from './swarm/swarm.ts'
import { makeTransfer, sourceDirectory } from './transfer/make-transfer.ts'
import { revisionOf } from './transfer/revision.ts'
import { timeTag } from './transfer/time-tag.ts'
import type { Transfer } from './transfer/transfer.ts'

/**
 * Brings the workspace to every server as a new release, unpacked and not yet published. Sets what shipit-deploy's other
 * tasks and other plugins read: previousRelease, previousRevision, releaseDirname, releasePath, currentRevision.
 * Servers that fail are left out while `tolerate` allows it. When it does not, nothing of the new release is left anywhere
 * and this throws FLEET_FAILED.
 */
export async function deployRelease(context: Context, asked?: Promise<Outcome[]>): Promise<DeployReport> {
  const { shipit, fleet, record } = context
  const { phases } = record
  const clock = stopwatch()
  const board = context.board()
  const { facts, failures } = await inspect(context, asked ?? askAndLock(context))
  tolerate(context, failures, 'nothing was changed')
  phases.check = clock()
  const tag = nameRelease(context, facts)
  const revision = await revisionOf(sourceDirectory(context), shipit.config.branch ?? 'HEAD')
  shipit.currentRevision = revision
  checkSame(context, revision)

  const directory = makeTemporaryDirectory('shipit-murder-')
  const unpacked = new Set<Server>()
  const { receivers, missing } = startReceivers(context, facts)
  let swarm: Swarm | undefined
  let touched = false
  try {
    const transfer = await makeTransfer(context, {
      tag,
      directory,
      prefill: canPrefill(context, facts),
      zstdEverywhere: [...facts.values()].every(hasZstd),
      peers: fleet.servers.length,
    })
    phases.package = clock()
    record.size = transfer.length
    const noSpace = checkSpace(context, facts, transfer)
    tolerate(context, noSpace, 'nothing was published')
    const withoutAgent = await missing
    context.signal.throwIfAborted()
    tolerate(context, withoutAgent, 'nothing was published')
    touched = true
    board.step('seed')
    swarm = await startSwarm(context, transfer, facts)
    warnWhenBroken(context, swarm)
    tellSeeding(context, transfer, swarm)
    phases.seed = clock()
    const taking = fleet.servers
    const received = await receive(context, {
      transfer,
      swarm,
      facts,
      releasePath: shipit.releasePath ?? '',
      unpacked,
      receivers,
      ...(revision === undefined ? {} : { revision }),
    })
    phases.transfer = received.transferSeconds
    phases.unpack = received.unpackSeconds
    context.signal.throwIfAborted()
    tolerate(context, received.failures, 'nothing was published', { said: true })
    const lost = taking.filter((server) => !fleet.servers.includes(server))
    // One that is dead takes its time to be given up: the others need not wait for it to publish.
    context.meanwhile(undo(context, tag, unpacked, lost))
    await Promise.all([stopAndCount(context, swarm), tidy(context, tag, received.receivers)])
    swarm = undefined
    return report(context, received)
  } catch (error) {
    if (touched) await undo(context, tag, unpacked)
    throw error
  } finally {
    for (const receiver of receivers.values()) receiver.letGo() // also those that never got an order
    if (swarm) await stopAndCount(context, swarm)
    await rm(directory, { recursive: true, force: true })
  }
}

/** For other plugins. */
function tellSeeding({ shipit, settings }: Context, transfer: Transfer, swarm: Swarm): void {
  const { tag, infoHash, length } = transfer
  const { trackerPort, seederPort } = swarm
  shipit.emit('murder:seeding', { tag, infoHash, length, trackerPort, seederPort, seeder: settings.seeder })
}

/** Seconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const elapsed = (performance.now() - last) / 1000
    last = performance.now()
    return elapsed
  }
}

/** What is repeated must be the same. Throws RETRY_CHANGED. */
function checkSame({ again, shipit }: Context, revision: string | undefined): void {
  if (!again || again.revision === null || again.revision === revision) return
  throw new MurderError(
    'RETRY_CHANGED',
    `${again.release} was made of ${again.revision}, now it would be ${revision}`,
    {
      cure: `deploy to all servers instead: npx shipit ${shipit.environment} deploy`,
    },
  )
}

/** The new release's name, and what was live before. Servers may differ: most of them decide. */
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
    if (error) context.board().log(explain(error))
  })
}

/** A seeder's server that is gone keeps nobody from having the release, and is not why a deploy fails. */
async function stopAndCount(context: Context, swarm: Swarm): Promise<void> {
  try {
    await swarm.stop()
  } catch (error) {
    context.board().log(explain(error))
  }
  // One that was killed last said so some seconds before.
  const had = context.record.servers.reduce((sum, { fromSeeder }) => sum + fromSeeder, 0)
  context.record.seederUploaded = Math.max(swarm.sent(), had)
}

function report({ fleet, leftOut, record }: Context, { perServer }: Received): DeployReport {
  const { size, phases, seederUploaded } = record
  return { size, servers: fleet.all.length, phases, perServer, seederUploaded, failures: leftOut }
}
