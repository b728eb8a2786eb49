import { serverNames } from '../servers.ts'
import type { SiteSetting } from '../site-kind.ts'
import { entryOf } from './entry.ts'

/** The sites of the setting with the servers whose entries say that they are there. */
export function sitesWithEntries(sites: readonly SiteSetting[], servers: readonly unknown[]): SiteSetting[] {
  const names = serverNames(servers)
  const all = new Map(sites.map((site) => [site.name, { ...site, servers: [...site.servers] }]))
  for (const [index, server] of servers.entries()) {
    const { site } = entryOf(server)
    if (site === undefined) continue
    const its = all.get(site) ?? { name: site, servers: [], limit: 0 }
    all.set(site, its)
    its.servers.push(names[index] as string)
  }
  return [...all.values()]
}
