import { median } from '../shared/statistics.ts'
import { fixed, formatTable } from '../shared/table.ts'
import { formatBytes, formatRate } from '../shared/units.ts'
import type { DeployRun } from './deploy-run.ts'
import type { Way } from './ways.ts'

export interface Measurement extends DeployRun {
  servers: number
  size: number
  /** Bits/s; undefined is no limit. */
  rate: number | undefined
  round: number
  way: Way
  deploy: 'first' | 'second'
  /** Where the files of all hosts were. */
  scratch: string
}

/** The most that a deploy may take, as a ratio to rsync in the same run, by number of servers. */
const MUSTS: Partial<Record<Way, Partial<Record<'first' | 'second', Record<number, number>>>>> = {
  murder: { first: { 1: 1.15, 5: 0.5, 12: 0.3 }, second: { 1: 1.15, 5: 1.0, 12: 0.6 } },
  'host-over-ssh': { first: { 5: 0.6 } },
  'port-22': { first: { 5: 0.8 } },
  star: { first: { 5: 1.0 } },
}

/** One row for each way of a case: seconds (median over rounds), of rsync's, must, and what was sent from the deploy host. */
export function reportTable(measurements: Measurement[]): string {
  const head = ['release, links', 'servers', 'deploy', 'way', 's', 'of rsync', 'must', '', 'sent MB']
  const cases = new Map<string, Measurement[]>()
  for (const one of measurements) {
    const key = [one.size, one.rate, one.servers, one.deploy].join()
    cases.set(key, [...(cases.get(key) ?? []), one])
  }
  const rows = [...cases.values()].flatMap((runs) => {
    const { size, rate, servers, deploy } = runs[0] as Measurement
    const seconds = (way: Way) => middle(runs, way, (run) => run.seconds)
    return [...new Set(runs.map(({ way }) => way))].sort().map((way) => {
      const ratio = seconds(way) / seconds('rsync')
      const must = MUSTS[way]?.[deploy]?.[servers]
      const verdict = must === undefined || !Number.isFinite(ratio) ? '' : ratio <= must ? 'ok' : 'MISSED'
      return [
        `${formatBytes(size)}, ${formatRate(rate)}`,
        String(servers),
        deploy,
        way,
        fixed(seconds(way), 1),
        fixed(ratio),
        must === undefined ? '' : `≤ ${must}`,
        verdict,
        fixed(
          middle(runs, way, (run) => run.sent / 1e6),
          1,
        ),
      ]
    })
  })
  return formatTable([head, ...rows])
}

/** Median seconds of each Shipit task, for each way. */
export function taskTable(measurements: Measurement[]): string {
  const tasks = [...new Set(measurements.flatMap((run) => Object.keys(run.tasks)))].filter(
    (task) => task !== 'deploy',
  )
  const cases = new Map<string, Measurement[]>()
  for (const one of measurements) {
    const key = `${formatBytes(one.size)}, ${formatRate(one.rate)}, ${one.servers}, ${one.deploy}, ${one.way}`
    cases.set(key, [...(cases.get(key) ?? []), one])
  }
  const rows = [...cases].map(([name, runs]) => [
    name,
    ...tasks.map((task) => fixed(median(runs.map((run) => run.tasks[task] ?? Number.NaN)), 1)),
  ])
  return formatTable([['seconds in', ...tasks.map((task) => task.replace('deploy:', ''))], ...rows])
}

function middle(runs: Measurement[], way: Way, value: (run: DeployRun) => number): number {
  return median(runs.filter((run) => run.way === way && run.problems.length === 0).map(value))
}
