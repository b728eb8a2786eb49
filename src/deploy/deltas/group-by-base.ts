import type { Server } from '../../fleet/ssh/server.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'

/** Each base takes a delta of its own, which takes time and a seeder. */
const MAX_GROUPS = 4

export interface BaseGroup {
  /** The id of what was delivered to all of them. */
  id: string
  servers: Server[]
}

/** Servers by what was delivered to them last: the largest groups. */
export function groupByBase(
  facts: ReadonlyMap<Server, Pick<ServerFacts, 'base' | 'currentRelease'>>,
  most = MAX_GROUPS,
): BaseGroup[] {
  const groups = new Map<string, Server[]>()
  for (const [server, { base, currentRelease }] of facts) {
    if (base === undefined || currentRelease === undefined) continue
    const others = groups.get(base)
    if (others) others.push(server)
    else groups.set(base, [server])
  }
  return [...groups]
    .map(([id, servers]) => ({ id, servers }))
    .sort((a, b) => b.servers.length - a.servers.length)
    .slice(0, Math.min(MAX_GROUPS, most))
}
