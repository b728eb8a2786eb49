import type { Context } from '../context/context.ts'
import { type Place, placeAt } from '../hosts/place.ts'
import {
  hasOwnTracker,
  hostsOf,
  seederServer,
  seederTrackers,
  stationOf,
  trackerServer,
  trackerStationOf,
} from '../hosts/placement.ts'
import { uploadAgent } from '../hosts/upload-agent.ts'
import { assertNoFailures } from '../outcome/fleet-error.ts'
import { quietly } from '../outcome/say.ts'
import { ask } from '../preflight/ask.ts'
import { check, type FleetFacts } from '../preflight/preflight.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { permitOf } from './permits.ts'
import { type Swarm, seedArguments } from './swarm.ts'

/** Starts tracker and seeder where the settings want them. Throws what keeps one of them from it; then neither runs. */
export async function startSwarm(context: Context, transfer: Transfer, asked: FleetFacts): Promise<Swarm> {
  const { fleet, settings } = context
  const facts = new Map([...asked, ...(await prepareBesides(context))])
  const [hostFor, trackerHostFor] = [
    hostsOf(stationOf(context), facts),
    hostsOf(trackerStationOf(context), facts),
  ]
  for (const server of fleet.servers) hostFor(server) // throws where it is not known
  const [seeders, trackers] = [seederServer(context), trackerServer(context)]
  const seederPlace = placeAt(context, transfer, seeders)
  const trackerPlace = seeders === trackers ? seederPlace : placeAt(context, transfer, trackers)
  const clear = () => Promise.all([...new Set([seederPlace, trackerPlace])].map((place) => place.clear()))
  const [seeder, tracker] = await bothOrNone(
    startSeeder(context, transfer, seederPlace, facts),
    hasOwnTracker(settings) ? startTracker(context, transfer, trackerPlace, facts) : undefined,
    clear,
  )
  return {
    ...{ trackerPort: tracker?.port, seederPort: seeder.port, hostFor, trackerHostFor },
    sent: () => seeder.agent.sent,
    broken: Promise.race([seeder.agent.ended, ...(tracker ? [tracker.agent.ended] : [])]),
    async stop() {
      await Promise.all([tracker?.agent.stop(), seeder.agent.stop()])
      await clear()
    },
  }
}

type Started = Awaited<ReturnType<Place['start']>>

async function startSeeder(
  context: Context,
  transfer: Transfer,
  place: Place,
  facts: FleetFacts,
): Promise<Started> {
  const torrent = await place.put('package.torrent', transfer.torrent)
  const secret = transfer.secret === undefined ? {} : { secret: await place.put('secret', transfer.secret) }
  const content = await place.bring(transfer)
  const trackers = seederTrackers(context, transfer, facts)
  const files = { torrent, content, ...secret }
  return place.start('seed', seedArguments(context, files, trackers, context.fleet.servers.length))
}

async function startTracker(
  context: Context,
  transfer: Transfer,
  place: Place,
  facts: FleetFacts,
): Promise<Started> {
  const permits = JSON.stringify([await permitOf(context, transfer, facts)])
  const path = await place.put('permits.json', permits)
  return place.start('tracker', ['--port', String(context.settings.tracker.port), '--permits', path])
}

/** Makes sure that the agent is on the servers that have a part in it and are not deployed to. Throws FLEET_FAILED. */
async function prepareBesides(context: Context): Promise<FleetFacts> {
  const { besides } = context.fleet
  if (besides.length === 0) return new Map()
  const facts = await check(context, ask(context, besides))
  const failures = await uploadAgent(quietly(context), facts, besides)
  assertNoFailures(context, failures, 'nothing was published')
  return facts
}

/** Side by side, because a program takes a while to start. When one fails, the other is stopped. */
async function bothOrNone<T extends Promise<Started> | undefined>(
  one: Promise<Started>,
  other: T,
  clear: () => Promise<unknown>,
): Promise<[Started, Awaited<T>]> {
  try {
    return await Promise.all([one, other])
  } catch (error) {
    for (const started of await Promise.allSettled([one, other]))
      if (started.status === 'fulfilled') await started.value?.agent.stop()
    await clear()
    throw error
  }
}
