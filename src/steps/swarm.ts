import { announceUrl } from '../agent/units.ts'
import type { Settings } from '../config/index.ts'
import type { MurderError } from '../errors.ts'
import type { Server } from '../remote/server.ts'
import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { seederServer, trackerServer } from './roles.ts'
import { hostsOf, trackerStationOf } from './station.ts'
import type { Transfer } from './transfer.ts'

/** Where a swarm's tracker and seeder are. */
export interface Swarm {
  /** Undefined when the tracker is elsewhere, or there is none. */
  trackerPort: number | undefined
  seederPort: number
  /** Hosts that a server reaches seeder and tracker at. */
  hostFor(server: Server): string
  trackerHostFor(server: Server): string
  /** Content bytes that the seeder has sent so far, where that is known. */
  sent(): number
  /** Settles, with why, when tracker or seeder end before they are stopped. */
  broken: Promise<MurderError | undefined>
  stop(): Promise<void>
}

/** Paths on the machine that seeds; without a secret, strangers may join. */
export interface SeedFiles {
  torrent: string
  content: string
  secret?: string
}

export function seedArguments(
  context: Context,
  { torrent, content, secret }: SeedFiles,
  trackers: readonly string[],
  fleet: number,
): string[] {
  const { ports, uploadLimit, downloadLimit } = context.settings
  return [
    ...[torrent, content, '--ports', ports.join('-'), '--fleet', String(fleet)],
    ...trackers.flatMap((url) => ['--tracker', url]),
    ...['--up-limit', String(uploadLimit), '--down-limit', String(downloadLimit)],
    ...(secret === undefined ? [] : ['--secret-file', secret]),
  ]
}

/** Whether the deploy or the single steps start a tracker of their own. */
export const hasOwnTracker = ({ tracker }: Settings): boolean =>
  tracker.at !== 'none' && externalTracker(tracker) === undefined

/** The announce URL of a tracker that somebody else runs. */
export const externalTracker = ({ at }: Settings['tracker']): string | undefined =>
  /^https?:/.test(at) ? at : undefined

/** The announce URLs that the seeder uses. */
export function seederTrackers(
  context: Context,
  { secret }: Pick<Transfer, 'secret'>,
  facts: FleetFacts,
): string[] {
  const { tracker } = context.settings
  const elsewhere = externalTracker(tracker)
  if (elsewhere !== undefined) return [elsewhere]
  if (tracker.at === 'none') return []
  const [seeder, there] = [seederServer(context), trackerServer(context)]
  const host = seeder === there ? '127.0.0.1' : hostsOf(trackerStationOf(context), facts)(seeder)
  return [announceUrl(host, tracker.port, secret !== undefined)]
}

/** The announce URLs that a server uses. */
export function trackersOf(
  { settings }: Context,
  swarm: Swarm,
  server: Server,
  { secret }: Pick<Transfer, 'secret'>,
): string[] {
  const elsewhere = externalTracker(settings.tracker)
  if (elsewhere !== undefined) return [elsewhere]
  if (swarm.trackerPort === undefined) return []
  return [announceUrl(swarm.trackerHostFor(server), swarm.trackerPort, secret !== undefined)]
}

/** With more servers than this the list would cost more than it is good for. */
const MOST_HOSTS = 4096

/** Addresses of all machines of the fleet; undefined when those of one are not known. */
export function fleetHosts(facts: FleetFacts): string[] | undefined {
  const all = [...facts.values()]
  if (all.length > MOST_HOSTS || all.some(({ serverAddress }) => serverAddress === undefined))
    return undefined
  return [...new Set(all.flatMap(({ serverAddress = '', addresses }) => [serverAddress, ...addresses]))]
}
