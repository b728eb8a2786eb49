import type { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { announceUrl } from '../../torrent/tracker/announce-url.ts'
import type { Context } from '../context/context.ts'
import { externalTracker } from '../hosts/placement.ts'
import type { Transfer } from '../transfer/transfer.ts'

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
