import { siteOf } from '../../config/entries/sites.ts'
import { rate } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { DEPLOY_HOST } from '../hosts/placement.ts'

/** One line that says which servers are in which site; none when no sites are named. */
export function whoIsWhere({
  settings: { sites },
  fleet,
}: Pick<TaskContext, 'fleet' | 'settings'>): string[] {
  if (sites.length === 0) return []
  const machines = [
    { label: DEPLOY_HOST, site: siteOf(sites, undefined) },
    ...fleet.servers.map((server) => ({ label: server.label, site: siteOf(sites, server) })),
  ]
  const membersOf = (wanted: (typeof sites)[number] | undefined) =>
    machines.flatMap(({ label, site }) => (site === wanted ? [label] : [])).join(', ')
  const named = sites.map((site) => {
    const limit = site.limit === 0 ? '' : ` (${rate(site.limit)})`
    return `${site.name}${limit}: ${membersOf(site) || 'nobody of these servers'}`
  })
  const others = membersOf(undefined)
  return [`sites: ${[...named, ...(others ? [`without a name: ${others}`] : [])].join('; ')}`]
}
