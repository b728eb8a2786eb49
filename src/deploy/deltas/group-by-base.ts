import type { Server } from '../../fleet/ssh/server.ts'
import { basesOf, type Delivered, isStaged } from './bases.ts'

/** Each base needs a delta of its own, and that needs time and a seeder. */
const MAX_GROUPS = 4

export interface BaseGroup {
  /** The id of the release that was delivered to all of them. */
  id: string
  servers: Server[]
}

/**
 * Groups servers by the release that was delivered to them. Staged releases come first, as the most likely content, then the
 * largest groups. A server with a staged release is in two groups. `deltas`: as in `basesOf`.
 */
export function groupByBase(
  facts: ReadonlyMap<Server, Delivered>,
  most = MAX_GROUPS,
  which: { deltas?: boolean } = {},
): BaseGroup[] {
  const groups = new Map<string, Server[]>()
  for (const [server, found] of facts) {
    for (const { id } of basesOf(found, which)) {
      const others = groups.get(id)
      if (others) others.push(server)
      else groups.set(id, [server])
    }
  }
  return [...groups]
    .map(([id, servers]) => ({
      id,
      servers,
      rank: Number(servers.some((each) => isStaged(facts.get(each), id))),
    }))
    .sort((a, b) => b.rank - a.rank || b.servers.length - a.servers.length)
    .map(({ id, servers }) => ({ id, servers }))
    .slice(0, Math.min(MAX_GROUPS, most))
}
