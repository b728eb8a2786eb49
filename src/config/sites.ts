import { findServers, serverNames } from './servers.ts'
import type { SiteSetting } from './site-kind.ts'
import { suggest } from './suggest.ts'

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
      if (found.length === 0) return [unknownServer(where, server, known)]
      const other = found.map((one) => siteOf.get(one)).find((one) => one !== undefined && one !== site.name)
      for (const one of found) siteOf.set(one, siteOf.get(one) ?? site.name)
      if (other === undefined) return []
      return [
        `${where} has ${server}, which is in ${other} too: a server is in one site, so remove it from one`,
      ]
    })
  })
}

/** What to say of a name that is not in `servers`. */
export function unknownServer(where: string, server: string, known: string[]): string {
  const meant = suggest(server, known)
  const shown = known.slice(0, 10).join(', ')
  const allowed = known.length > 10 ? `${shown} and ${known.length - 10} more` : shown
  return `${where} has ${JSON.stringify(server)}, which is not in servers: ${meant === undefined ? '' : `did you mean ${meant}? `}allowed: ${allowed}`
}

/** The site of a server, or of the deploy host when it is undefined. */
export function siteOf(sites: readonly SiteSetting[], server: Named | undefined): SiteSetting | undefined {
  return sites.find(({ servers }) =>
    servers.some((name) => (server === undefined ? name === LOCAL : findServers(name, [server]).length > 0)),
  )
}
