import { median, sum } from '../shared/statistics.ts'
import type { RaceResult, Role, Usage } from './race.ts'

export interface Run extends RaceResult {
  contender: string
  servers: number
  round: number
}

/** One contender with one number of servers: medians over its rounds. Seconds from the start of the peers. */
export interface Summary {
  contender: string
  servers: number
  rounds: number
  failed: number
  first: number
  median: number
  last: number
  /** `last` as a multiple of size over rate; undefined without a limit. */
  ofLimit: number | undefined
  /** Median of the servers on links of the common rate, as `ofLimit`; differs where links do. */
  fastOfLimit: number | undefined
  /** Bytes into and out of each site but the first, as multiples of the size, by the site's number. */
  longLinks: Record<string, { into: number; outOf: number }>
  /** What left the seeder, as a multiple of the size. */
  seederUpload: number
  /** What came to a server beyond the content itself, as a share of the size: headers, handshakes, doubles. */
  overhead: number
  /** Content that servers got twice, as a share of the size, where the contender tells. */
  twice: number | undefined
  cpu: Partial<Record<Role, number>>
  peakMiB: Partial<Record<Role, number>>
  busy: number
}

/** `slow`: the servers whose links have other rates. */
export function summarize(runs: Run[], size: number, rate: number | undefined, slow: string[]): Summary[] {
  const groups = new Map<string, Run[]>()
  for (const run of runs) {
    const key = `${run.servers} ${run.contender}`
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  return [...groups.values()].map((group) => summarizeGroup(group, size, rate, slow))
}

function summarizeGroup(group: Run[], size: number, rate: number | undefined, slow: string[]): Summary {
  const good = group.filter((run) => run.problems.length === 0)
  const { contender, servers } = group[0] as Run
  const over = (value: (run: Run) => number) => median(good.map(value))
  const times = (run: Run) => Object.values(run.done).sort((a, b) => a - b)
  const limit = rate === undefined ? undefined : (size * 8) / rate
  const fast = (run: Run) =>
    Object.entries(run.done).flatMap(([name, time]) => (slow.includes(name) ? [] : [time]))
  const last = over((run) => times(run).at(-1) ?? Number.NaN)
  const received = (run: Run) => Object.values(run.received)
  return {
    contender,
    servers,
    rounds: group.length,
    failed: group.length - good.length,
    first: over((run) => times(run)[0] ?? Number.NaN),
    median: over((run) => median(times(run))),
    last,
    ofLimit: limit === undefined ? undefined : last / limit,
    fastOfLimit: limit === undefined ? undefined : over((run) => median(fast(run))) / limit,
    longLinks: Object.fromEntries(
      Object.keys(good[0]?.longLinks ?? {}).map((site) => {
        const share = (way: 'sent' | 'received') =>
          over((run) => (run.longLinks[site]?.[way] ?? Number.NaN) / size)
        return [site, { into: share('sent'), outOf: share('received') }]
      }),
    ),
    seederUpload: over((run) => (run.links.deploy?.sent ?? Number.NaN) / size),
    overhead: over((run) => receivedByServers(run) / (size * servers) - 1),
    twice: good.every((run) => received(run).length === servers)
      ? over((run) => sum(received(run)) / (size * servers) - 1)
      : undefined,
    cpu: byRole((role) => over((run) => worst(run.usage, role, 'cpuSeconds'))),
    peakMiB: byRole((role) => over((run) => worst(run.usage, role, 'peakMiB'))),
    busy: over((run) => run.busy),
  }
}

function receivedByServers(run: Run): number {
  return sum(Object.entries(run.links).map(([host, link]) => (host === 'deploy' ? 0 : link.received)))
}

/** CPU time is per host (bounce runs several programs on one), memory per program; of the worst host. */
function worst(usage: Usage[], role: Role, what: 'cpuSeconds' | 'peakMiB'): number {
  const hosts = new Map<string, number>()
  for (const one of usage.filter((one) => one.role === role)) {
    const before = hosts.get(one.host) ?? 0
    hosts.set(one.host, what === 'cpuSeconds' ? before + one[what] : Math.max(before, one[what]))
  }
  return hosts.size === 0 ? Number.NaN : Math.max(...hosts.values())
}

const byRole = (value: (role: Role) => number): Record<Role, number> => ({
  tracker: value('tracker'),
  seeder: value('seeder'),
  peer: value('peer'),
})
