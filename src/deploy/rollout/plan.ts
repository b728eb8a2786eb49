import { siteOf } from '../../config/entries/sites.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { entryOfServer } from '../commands/server-values.ts'
import type { Context } from '../context/context.ts'
import { type Group, planGroups } from './groups.ts'

/** The groups of this run: of all servers that take part, or of those that a rollout has left. */
export function planOf({ fleet, settings, resumed }: Context): Group<Server>[] {
  if (resumed) {
    const byLabel = new Map(fleet.servers.map((server) => [server.label, server]))
    return resumed.groups
      .slice(resumed.done)
      .map((group) => ({ ...group, servers: group.servers.flatMap((label) => byLabel.get(label) ?? []) }))
      .filter(({ servers }) => servers.length > 0)
  }
  const { rollout, batch, sites } = settings
  return planGroups(fleet.servers, { groups: rollout.groups, batch }, (server) => ({
    roles: entryOfServer(server).roles,
    site: siteOf(sites, server)?.name,
  }))
}

/** `group 2 of 3 (web)`. */
export function nameGroup({ name }: Pick<Group<unknown>, 'name'>, index: number, total: number): string {
  return `group ${index + 1} of ${total}${name === undefined ? '' : ` (${name})`}`
}
