import { announceUrl } from '../agent/units.ts'
import type { MurderError } from '../errors.ts'
import type { Server } from '../remote/server.ts'
import type { Context } from './context.ts'
import type { Transfer } from './make-package.ts'

/** Where a swarm's tracker and seeder are. */
export interface Swarm {
  trackerPort: number
  seederPort: number
  /** Host that the server reaches tracker and seeder at. */
  hostFor(server: Server): string
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
  url: string,
  fleet: number,
): string[] {
  const { ports, uploadLimit, downloadLimit } = context.settings
  return [
    ...[torrent, content, '--tracker', url, '--ports', ports.join('-'), '--fleet', String(fleet)],
    ...['--up-limit', String(uploadLimit), '--down-limit', String(downloadLimit)],
    ...(secret === undefined ? [] : ['--secret-file', secret]),
  ]
}

/** The announce URL that a server uses. */
export function trackerUrl(
  context: Context,
  swarm: Swarm,
  server: Server,
  { secret }: Pick<Transfer, 'secret'>,
): string {
  const host = context.settings.tracker.address ?? swarm.hostFor(server)
  return announceUrl(host, swarm.trackerPort, secret !== undefined)
}
