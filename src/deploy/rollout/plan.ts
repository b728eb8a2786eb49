import { siteOf } from '../../config/entries/sites.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { entryOfServer } from '../commands/server-values.ts'
import type { Context } from '../context/context.ts'
import { type Group, planGroups } from './groups.ts'

/** A group with its place in the whole rollout, which a resumed one keeps. */
export interface PlannedGroup<T> extends Group<T> {
  /** The first is 1. */
  number: number
  total: number
}

/** The groups of this run: of all servers that take part, or of those that a rollout has left. */
export function planOf({
  fleet,
  settings,
  resumed,
}: Pick<Context, 'fleet' | 'resumed' | 'settings'>): PlannedGroup<Server>[] {
  if (resumed) {
    const byLabel = new Map(fleet.servers.map((server) => [server.label, server]))
    return groupsLeft(resumed)
      .map((group) => ({ ...group, servers: group.servers.flatMap((label) => byLabel.get(label) ?? []) }))
      .filter(({ servers }) => servers.length > 0)
  }
  const { rollout, batch, sites } = settings
  const groups = planGroups(fleet.servers, { groups: rollout.groups, batch }, (server) => ({
    roles: entryOfServer(server).roles,
    site: siteOf(sites, server)?.name,
  }))
  return numbered(groups)
}

/** The groups that are not done. */
export const groupsLeft = <T>({ groups, done }: { groups: readonly Group<T>[]; done: number }) =>
  numbered(groups).slice(done)

const numbered = <T>(groups: readonly Group<T>[]): PlannedGroup<T>[] =>
  groups.map((group, index) => ({ ...group, number: index + 1, total: groups.length }))

/** `group 2 of 3 (web)`. */
export function nameGroup({ name, number, total }: Omit<PlannedGroup<unknown>, 'servers'>): string {
  return `group ${number} of ${total}${name === undefined ? '' : ` (${name})`}`
}
