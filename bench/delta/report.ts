import { fixed, formatTable } from '../shared/table.ts'
import { type Orientation, orientations } from './orientation.ts'
import type { Pair } from './pairs.ts'

export const ways = ['murder', 'rsync', 'fuzzy'] as const
export type DeltaWay = (typeof ways)[number]

/** The second deploy of one pair. */
export interface DeltaRun {
  pair: string
  servers: number
  way: DeltaWay
  /** Bytes on the links: into one server, and out of the deploy host. */
  received: number
  sent: number
  /** What each server got, as the deploy says. */
  got: string
  problems: string[]
}

/** For a pair, bytes that others take from one file to the other. */
export type Orientations = Partial<Record<Orientation, number>>

const number = (value: number | undefined) =>
  value === undefined ? '–' : Math.round(value).toLocaleString('en')

const find = (runs: readonly DeltaRun[], pair: string, way: DeltaWay, servers: number) =>
  runs.find(
    (run) => run.pair === pair && run.way === way && run.servers === servers && run.problems.length === 0,
  )

/** Bytes into one server: one row a pair and fleet, and what rsync takes in the same run. */
export function intoTable(
  pairs: readonly Pair[],
  runs: readonly DeltaRun[],
  fleets: readonly number[],
): string {
  const head = ['into one server, bytes', 'servers', 'here', 'rsync', 'fuzzy', 'of rsync', 'must', '', 'got']
  const rows = pairs.flatMap(({ name, must }) =>
    fleets.map((servers) => {
      const [here, rsync, fuzzy] = ways.map((way) => find(runs, name, way, servers))
      const ratio = (here?.received ?? Number.NaN) / (rsync?.received ?? Number.NaN)
      const verdict = must === undefined || !Number.isFinite(ratio) ? '' : ratio <= must ? 'ok' : 'MISSED'
      return [
        name,
        String(servers),
        ...[here, rsync, fuzzy].map((run) => number(run?.received)),
        fixed(ratio, 3),
        must === undefined ? '' : `≤ ${must}`,
        verdict,
        here?.got ?? '',
      ]
    }),
  )
  return formatTable([head, ...rows])
}

/** What a server more may cost the deploy host, beside SSH itself. */
const MAX_GROWTH = 1.3
const SSH_ALONE = 'nothing changed'

/** Bytes out of the deploy host, to the largest fleet against the smallest. */
export function outTable(
  pairs: readonly Pair[],
  runs: readonly DeltaRun[],
  fleets: readonly number[],
): string {
  const [least, most] = [Math.min(...fleets), Math.max(...fleets)]
  const ssh = find(runs, SSH_ALONE, 'murder', least)?.sent ?? Number.NaN
  const head = [
    'out of the deploy host, bytes',
    ...fleets.map((count) => `to ${count}`),
    `rsync to ${most}`,
    'most',
    '',
  ]
  const rows = pairs.map(({ name }) => {
    const sent = (servers: number, way: DeltaWay = 'murder') => find(runs, name, way, servers)?.sent
    const limit = MAX_GROWTH * (sent(least) ?? Number.NaN) + (most - least) * ssh
    const all = sent(most) ?? Number.NaN
    const verdict = least === most || !Number.isFinite(limit - all) ? '' : all <= limit ? 'ok' : 'MISSED'
    return [
      name,
      ...fleets.map((count) => number(sent(count))),
      number(sent(most, 'rsync')),
      Number.isFinite(limit) ? number(limit) : '–',
      verdict,
    ]
  })
  return formatTable([head, ...rows])
}

/** Others, of the release as one tar, without SSH and links. */
export function orientationTable(pairs: readonly Pair[], found: ReadonlyMap<string, Orientations>): string {
  const names: Record<Orientation, string> = {
    whole: 'whole, zstd -3',
    zstd: 'zstd --patch-from',
    xdelta3: 'xdelta3',
    bsdiff: 'bsdiff',
    zsync: 'zsync',
  }
  const head = ['files alone, bytes', ...orientations.map((name) => names[name])]
  const rows = pairs.map(({ name }) => [name, ...orientations.map((one) => number(found.get(name)?.[one]))])
  return formatTable([head, ...rows])
}
