import { siteOf } from '../../config/entries/sites.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { SiteOrder } from '../../protocol/order.ts'
import { defined } from '../../system/defined.ts'
import type { TaskContext } from '../context/context.ts'
import type { Placement } from '../hosts/placement.ts'

/**
 * The part of an order about the site of a process. `server`: undefined for the deploy host. Gives undefined where the site has
 * no name.
 */
export function siteOrder(
  { settings, fleet }: Pick<TaskContext, 'fleet' | 'settings'>,
  server: Server | undefined,
  placement: Placement,
): SiteOrder | undefined {
  const site = siteOf(settings.sites, server)
  if (!site) return undefined
  const members = fleet.servers.filter((other) => siteOf(settings.sites, other) === site)
  return {
    name: site.name,
    limit: site.limit,
    servers: members.length,
    ...defined({ key: server?.label, seederSite: siteOf(settings.sites, placement.seeder.server)?.name }),
  }
}
