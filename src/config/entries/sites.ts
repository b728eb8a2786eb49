import type { SiteSetting } from '../kinds/site-kind.ts'
import { findServers, serverNames } from '../servers.ts'
import { refusedName } from '../suggest.ts'
import { entryOf } from './entry.ts'

/** How `sites` names the deploy host. */
const LOCAL = 'local'

/** The parts of a server by which its site is found. */
interface Named {
  user: string
  host: string
  port: number
}

/** One line for each thing that is wrong with the names in `sites`. `name` is the setting as the user wrote it. */
export function siteProblems(
  sites: readonly SiteSetting[],
  servers: readonly unknown[],
  name: string,
): string[] {
  const known = [...serverNames(servers), LOCAL]
  const siteOf = new Map<string, string>()
  return sites.flatMap((site) => {
    const where = `${name}.${site.name}`
    if (site.servers.length === 0) return [`${where} has no servers: name at least one, or remove the site`]
    return site.servers.flatMap((server) => {
      const found = server === LOCAL ? [LOCAL] : findServers(server, servers).map((at) => known[at] as string)
      if (found.length === 0) return [refusedName(where, server, 'is not in servers', known)]
      const other = found.map((one) => siteOf.get(one)).find((one) => one !== undefined && one !== site.name)
      for (const one of found) siteOf.set(one, siteOf.get(one) ?? site.name)
      if (other === undefined) return []
      return [
        `${where} has ${server}, which is in ${other} too: a server is in one site, so remove it from one`,
      ]
    })
  })
}

/** The site of a server, or of the deploy host when it is undefined. */
export function siteOf(sites: readonly SiteSetting[], server: Named | undefined): SiteSetting | undefined {
  return sites.find(({ servers }) =>
    servers.some((name) => (server === undefined ? name === LOCAL : findServers(name, [server]).length > 0)),
  )
}

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
