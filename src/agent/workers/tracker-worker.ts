import { ownAddresses } from '../../system/addresses.ts'
import { defined } from '../../system/defined.ts'
import { announceUrl } from '../../torrent/tracker/announce-url.ts'
import { startTracker } from '../../torrent/tracker/tracker-server.ts'
import type { TrackerJob } from '../runs/job.ts'
import { StatsPage, statsPath } from '../stats/stats-page.ts'
import type { Content } from '../stats/swarms.ts'
import { permitsOf } from './permits-file.ts'
import { CLOSE_TIMEOUT_S, delay, type WorkerContext } from './worker-context.ts'

/** Runs a tracker until it is stopped. */
export async function workAsTracker(job: TrackerJob, context: WorkerContext): Promise<void> {
  const permits = permitsOf(job)
  const path = statsPath(job)
  const audience = path === undefined ? undefined : new StatsPage(path, contentsOf(job))
  const tracker = await startTracker({
    port: job.port,
    ...defined({
      lastPort: job.lastPort,
      host: job.host,
      only: job.only?.map(({ infoHash }) => infoHash),
      permits,
      audience,
    }),
  })
  try {
    const url = announceUrl(reachableHost(job.host), tracker.port, permits !== undefined)
    context.listening({ port: tracker.port, url })
    await Promise.race([context.stopped, delay(job.timeouts.total || undefined)])
  } finally {
    await Promise.race([tracker.close(), delay(CLOSE_TIMEOUT_S)])
  }
}

const contentsOf = ({ only = [] }: TrackerJob): Map<string, Content> =>
  new Map(only.map(({ infoHash, name, size }) => [infoHash, { name, size }]))

/** The address at which others most likely reach this machine; it is only shown. */
function reachableHost(host: string | undefined): string {
  if (host && host !== '::' && host !== '0.0.0.0') return host
  return ownAddresses()[0] ?? '127.0.0.1'
}
