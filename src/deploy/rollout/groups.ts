import { countOf } from '../../config/entries/groups.ts'
import type { Groups, Share } from '../../config/kinds/rollout.ts'
import { defined } from '../../system/defined.ts'

/** The facts that decide the group of a server. */
export interface Member {
  roles: readonly string[]
  site: string | undefined
}

/** Servers that are published together. */
export interface Group<T> {
  /** Their role or site. */
  name?: string
  servers: readonly T[]
}

export interface Grouping {
  groups: Groups | undefined
  /** How many servers there are in each group. */
  batch: Share | undefined
}

/**
 * The groups of a rollout, in their order. Every server is in exactly one group, and no group is empty. Without a setting there
 * is one group.
 */
export function planGroups<T>(
  servers: readonly T[],
  { groups, batch }: Grouping,
  memberOf: (server: T) => Member,
): Group<T>[] {
  const all =
    groups === 'role'
      ? named(servers, (server) => memberOf(server).roles[0])
      : groups === 'site'
        ? named(servers, (server) => memberOf(server).site)
        : groups === undefined
          ? inBatches(servers, batch)
          : cumulative(servers, groups)
  return all.filter((group) => group.servers.length > 0)
}

/** By the first role or the site, in the order in which these appear; servers without one are the last group. */
function named<T>(servers: readonly T[], nameOf: (server: T) => string | undefined): Group<T>[] {
  const names = [...new Set(servers.map(nameOf))].sort(
    (one, other) => Number(one === undefined) - Number(other === undefined),
  )
  return names.map((name) => ({
    ...defined({ name }),
    servers: servers.filter((server) => nameOf(server) === name),
  }))
}

function inBatches<T>(servers: readonly T[], batch: Share | undefined): Group<T>[] {
  const size = Math.max(1, batch === undefined ? servers.length : countOf(batch, servers.length))
  const starts = servers.map((_, index) => index).filter((index) => index % size === 0)
  return starts.map((at) => ({ servers: servers.slice(at, at + size) }))
}

/**
 * Fewer servers may take part than when the settings were written: a group that would end before the one before it is empty then,
 * and the last group has what remains.
 */
function cumulative<T>(servers: readonly T[], groups: readonly Share[]): Group<T>[] {
  let done = 0
  return groups.map((share, index) => {
    const begin = done
    done = index === groups.length - 1 ? servers.length : Math.max(begin, countOf(share, servers.length))
    return { servers: servers.slice(begin, done) }
  })
}
