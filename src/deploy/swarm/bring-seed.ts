import { siteOf } from '../../config/entries/sites.ts'
import type { TaskContext } from '../context/context.ts'
import type { Host } from '../hosts/host.ts'
import type { Placement } from '../hosts/placement.ts'
import { SECRET, type Transfer } from '../transfer/transfer.ts'

/**
 * Brings torrent, secret and package to the machine that seeds. Returns the arguments of the agent's `seed` there, without
 * `trackerArgs`. Without a secret, strangers may join. `permits` is the file there with the addresses that it may dial. `share`
 * is how many seeders share the limits of one machine.
 */
export async function bringSeed(
  context: Pick<TaskContext, 'fleet' | 'settings'>,
  host: Host,
  transfer: Transfer,
  permits: string,
  share = 1,
): Promise<string[]> {
  const { fleet, settings } = context
  const { ports, uploadLimit, downloadLimit } = settings
  const { torrent, secret } = transfer
  const torrentFile = await host.put('package.torrent', torrent)
  const secretFile = secret === undefined ? [] : ['--secret-file', await host.put(SECRET, secret)]
  const options = {
    '--ports': ports.join('-'),
    '--permits': permits,
    '--fleet': String(fleet.servers.length),
    '--up-limit': String(Math.ceil(uploadLimit / share)),
    '--down-limit': String(Math.ceil(downloadLimit / share)),
  }
  const site = siteOf(settings.sites, host.server)
  const siteArgs = site ? ['--site', site.name, '--site-limit', String(site.limit)] : []
  return [
    torrentFile,
    await host.bring(transfer),
    ...Object.entries(options).flat(),
    ...siteArgs,
    ...secretFile,
  ]
}

/** The arguments of `seed` that name the tracker. */
export function trackerArgs(host: Host, { secret }: Transfer, placement: Placement): string[] {
  return placement.announceUrls(host.server, secret !== undefined).flatMap((url) => ['--tracker', url])
}
