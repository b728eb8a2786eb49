import { firstOf, nameSome } from '../../text/format.ts'
import type { Problem, ProblemGroup } from './problem.ts'

/** Limits for the table, because a large fleet has thousands of connections. JSON has all. */
const MAX_ROWS = 6
const MAX_NAMES = 4

/** A failed connection. Others may have failed for the same reason. */
interface Link {
  from: string
  to: string
  port: number
}

interface Reason {
  check: string
  how: string
  cure: string
  links: Link[]
}

/** Rows that say which machines cannot reach which; a single row where no machine reaches any other. */
export function mergeConnections(problems: readonly Problem[]): ProblemGroup[] {
  return reasonsOf(problems).flatMap((reason) => rowsOf(reason))
}

function reasonsOf(problems: readonly Problem[]): Reason[] {
  const reasons = new Map<string, Reason>()
  for (const { server, check, cure, to, port, how } of problems) {
    if (to === undefined || port === undefined || how === undefined) continue
    const key = JSON.stringify([check, how, cure])
    const reason = reasons.get(key) ?? { check, how, cure, links: [] }
    reason.links.push({ from: server, to, port })
    reasons.set(key, reason)
  }
  return [...reasons.values()]
}

function rowsOf({ check, how, cure, links }: Reason): ProblemGroup[] {
  const row = (servers: string[], what: string): ProblemGroup => ({
    servers,
    check,
    cause: `${what}: ${how}`,
    cure,
  })
  const machines = [...new Set(links.map(({ from }) => from))]
  if (machines.length > 1 && isEveryWay(links, machines))
    return [row(machines, `do not reach each other on ${portsOf(links)}`)]
  const [shown, more] = firstOf(fewest(links), MAX_ROWS)
  const rows = shown.map(({ from, to, ports }) =>
    row(from, `${from.length === 1 ? 'does' : 'do'} not reach ${ports} of ${nameSome(to, MAX_NAMES)}`),
  )
  const last = rows.at(-1)
  if (more > 0 && last) last.cause += `; and so for ${more} more groups of servers`
  return rows
}

/**
 * Whether every machine fails to reach the same number of others, in both directions. In large fleets not all pairs are tried.
 */
function isEveryWay(links: readonly Link[], machines: readonly string[]): boolean {
  const known = new Set(machines)
  if (!links.every(({ to }) => known.has(to))) return false
  const count = (end: 'from' | 'to', machine: string) => links.filter((link) => link[end] === machine).length
  const tried = count('from', machines[0] ?? '')
  const isWhole = tried === machines.length - 1 || tried >= MIN_TRIED
  return (
    isWhole && machines.every((machine) => count('from', machine) === tried && count('to', machine) === tried)
  )
}

/** A fleet that is too large to try all connections tries at least so many from each server. */
const MIN_TRIED = 12

interface Bundle {
  from: string[]
  to: string[]
  ports: string
}

/** The connections as rows with the same targets, or with the same sources, whichever are fewer. */
function fewest(links: readonly Link[]): Bundle[] {
  const [bySource, byTarget] = [bundle(links, 'from', 'to'), bundle(links, 'to', 'from')]
  return bySource.length < byTarget.length ? bySource : byTarget
}

/** Groups the machines at the end `one` that have the same machines at the end `other`. */
function bundle(links: readonly Link[], one: 'from' | 'to', other: 'from' | 'to'): Bundle[] {
  const ends = new Map<string, Link[]>()
  for (const link of links) ends.set(link[one], [...(ends.get(link[one]) ?? []), link])
  const bundles = new Map<string, Link[]>()
  for (const of of ends.values()) {
    const key = JSON.stringify(of.map((link) => link[other]).sort())
    bundles.set(key, [...(bundles.get(key) ?? []), ...of])
  }
  return [...bundles.values()].map((all) => ({
    from: [...new Set(all.map(({ from }) => from))],
    to: [...new Set(all.map(({ to }) => to))],
    ports: portsOf(all),
  }))
}

function portsOf(links: readonly Link[]): string {
  const ports = [...new Set(links.map(({ port }) => port))].sort((a, b) => a - b)
  const [first, last] = [ports[0], ports.at(-1)]
  return first === last ? `port ${first}` : `ports ${first} to ${last}`
}
