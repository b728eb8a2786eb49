import type { MurderError } from '../errors.ts'
import type { Server } from '../remote/server.ts'
import { formatAddress } from '../torrent/announce.ts'
import type { Context } from './context.ts'

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

export function seedArguments(
  context: Context,
  torrent: string,
  file: string,
  url: string,
  fleet: number,
): string[] {
  const { ports, uploadLimit, downloadLimit } = context.settings
  return [
    ...[torrent, file, '--tracker', url, '--ports', ports.join('-'), '--fleet', String(fleet)],
    ...['--up-limit', String(uploadLimit), '--down-limit', String(downloadLimit)],
  ]
}

/** The announce URL that a server uses. */
export function trackerUrl(context: Context, swarm: Swarm, server: Server): string {
  const host = context.settings.tracker.address ?? swarm.hostFor(server)
  return `http://${formatAddress(host, swarm.trackerPort)}/announce`
}
