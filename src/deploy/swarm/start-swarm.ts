import { defined } from '../../system/defined.ts'
import type { TaskContext } from '../context/context.ts'
import type { Host } from '../hosts/host.ts'
import { deployHosts, prepareServers } from '../hosts/hosts.ts'
import { Placement, trackerPortArgs } from '../hosts/placement.ts'
import type { Agent } from '../hosts/running-agent.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import type { Reach } from '../reach/reach.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { bringSeed, trackerArgs } from './bring-seed.ts'
import { MoreSeeders } from './more-seeders.ts'
import { putPermitsOf } from './permits.ts'
import { SeedHere } from './seed-here.ts'
import type { ReachableSwarm, Swarm } from './swarm.ts'

/**
 * Starts the tracker for all these transfers and the seeder of the first, where the settings want them. The package may come
 * later. Throws when either does not start; then neither runs.
 */
export async function startSwarm(
  context: TaskContext,
  transfers: readonly [Transfer, ...Transfer[]],
  asked: FleetFacts,
  reach: Reach,
): Promise<Swarm> {
  const { servers, besides } = context.fleet
  const [transfer] = transfers
  const facts = new Map([...asked, ...(await prepareServers(context, besides, 'nothing was published'))])
  let placement = new Placement(context, facts)
  for (const server of servers) if (!reach.through.has(server)) placement.seederAddress(server) // throws where it is not known
  const hosts = deployHosts(context, transfer)
  const clear = () => Promise.all([...new Set([hosts.seeder, hosts.tracker])].map((host) => host.clear()))
  const hasWhole = transfers.some(({ base }) => base === undefined)
  const share = transfers.length + (hasWhole ? 0 : 1)
  const brought = putPermitsOf(context, transfers, hosts.seeder, facts).then((permits) =>
    bringSeed(context, hosts.seeder, transfer, permits, share),
  )
  const startSeeder = async (at: Placement) => {
    const args = [...(await brought), ...trackerArgs(hosts.seeder, transfer, at)]
    return hosts.seeder.start('seed', [...args, '--tag', transfer.tag])
  }
  let [seeder, tracker] = await bothOrNone(
    startSeeder(placement),
    placement.hasOwnTracker ? startTracker(context, transfers, hosts.tracker, facts) : undefined,
    clear,
  )
  if (tracker && tracker.port !== placement.trackerPort) {
    context.display.board().log(movedLine(placement, tracker.port))
    placement = new Placement(context, facts, tracker.port)
    await seeder.stop() // It would announce to a port where the tracker is not.
    ;[seeder, tracker] = await bothOrNone(startSeeder(placement), Promise.resolve(tracker), clear)
  }
  const more = new MoreSeeders(context, share, facts, placement)
  const admitted = new Set(transfers)
  /** From now on the tracker answers about this transfer. */
  const admit = async (wanted: Transfer) => {
    if (admitted.has(wanted)) return
    admitted.add(wanted)
    if (tracker) await putPermitsOf(context, [...admitted], hosts.tracker, facts)
  }
  const here = new SeedHere(context, share, facts)
  const sent = () => seeder.sent + more.sent + here.sent
  const relays = await reach.relays
  const seededAt = (seeded: Transfer, seederPort: number): ReachableSwarm => {
    const ports = { seeder: seederPort, ...defined({ tracker: tracker?.port }) }
    const swarm: ReachableSwarm = {
      placement,
      relays,
      areWaysTried: reach.areWaysTried,
      seederPort,
      sent,
      async meet(server, peer) {
        if (await here.isCutOff(placement, seederPort, server, peer)) return here.seed(seeded, server, peer)
        await reach.meet(server, peer, ports)
        return swarm
      },
      lead: (server) => reach.lead(server, ports),
    }
    return swarm
  }
  return {
    ...seededAt(transfer, seeder.port),
    trackerPort: tracker?.port,
    broken: Promise.race([seeder.ended, ...(tracker ? [tracker.ended] : [])]),
    async reach(wanted) {
      if (wanted === transfer) return seededAt(transfer, seeder.port)
      await admit(wanted)
      return seededAt(wanted, (await more.start(wanted)).port)
    },
    async stop() {
      await Promise.all([tracker?.stop(), seeder.stop(), more.stop(), here.stop()])
      await clear()
    },
  }
}

const movedLine = ({ tracker, trackerPort }: Placement, port: number) =>
  `Port ${trackerPort} of ${tracker.label} is taken: the tracker takes ${port}, which servers must reach, too`

async function startTracker(
  context: Pick<TaskContext, 'fleet' | 'settings'>,
  transfers: readonly [Transfer, ...Transfer[]],
  host: Host,
  facts: FleetFacts,
): Promise<Agent> {
  const path = await putPermitsOf(context, transfers, host, facts)
  return host.start('tracker', [
    ...trackerPortArgs(context.settings),
    '--permits',
    path,
    '--tag',
    transfers[0].tag,
  ])
}

/** Side by side, because a program takes a while to start. When one fails, the other is stopped. */
async function bothOrNone<T extends Promise<Agent> | undefined>(
  one: Promise<Agent>,
  other: T,
  clear: () => Promise<unknown>,
): Promise<[Agent, Awaited<T>]> {
  try {
    return await Promise.all([one, other])
  } catch (error) {
    for (const started of await Promise.allSettled([one, other]))
      if (started.status === 'fulfilled') await started.value?.stop()
    await clear()
    throw error
  }
}
