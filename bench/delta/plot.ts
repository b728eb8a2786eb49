import { colours, escapeText, line, picture, round, WIDTH } from '../shared/svg.ts'
import type { DeltaRun, DeltaWay } from './report.ts'

const WAYS: readonly [way: DeltaWay, name: string][] = [
  ['murder', 'this'],
  ['rsync', 'rsync'],
]
const LEFT = 250
const RIGHT = WIDTH - 90
const TOP = 30
const BAR = 12
const ROW = WAYS.length * BAR + 10
/** The axis begins here: SSH alone is more. */
const LEAST_BYTES = 1e4

/** Bytes into one server, on a logarithmic axis: two bars a pair, the shortest of this plugin's first. */
export function plotDeltas(runs: readonly DeltaRun[], servers: number): string {
  const right = runs.filter((run) => run.servers === servers && run.problems.length === 0)
  const bytes = (pair: string, way: DeltaWay) =>
    right.find((run) => run.pair === pair && run.way === way)?.received
  const pairs = [...new Set(right.map(({ pair }) => pair))]
    .filter((pair) => WAYS.every(([way]) => bytes(pair, way) !== undefined))
    .sort((a, b) => (bytes(a, 'murder') ?? 0) - (bytes(b, 'murder') ?? 0))
  const most = Math.max(LEAST_BYTES * 10, ...right.map(({ received }) => received))
  const powers = Math.ceil(Math.log10(most / LEAST_BYTES))
  const at = (value: number) =>
    round(LEFT + (Math.log10(Math.max(value, LEAST_BYTES) / LEAST_BYTES) / powers) * (RIGHT - LEFT))
  const bottom = TOP + pairs.length * ROW
  const parts = WAYS.map(
    ([, name], i) =>
      `<rect x="${LEFT + i * 90}" y="4" width="12" height="12" fill="${colours[i]}"/>` +
      `<text x="${LEFT + i * 90 + 18}" y="15">${name}</text>`,
  )
  for (let power = 0; power <= powers; power++) {
    const x = at(LEAST_BYTES * 10 ** power)
    parts.push(line(x, TOP - 4, x, bottom, '#e5e5e5'))
    parts.push(
      `<text x="${x}" y="${bottom + 18}" text-anchor="middle">${size(LEAST_BYTES * 10 ** power)}</text>`,
    )
  }
  for (const [row, pair] of pairs.entries()) {
    const y = TOP + row * ROW
    parts.push(`<text x="${LEFT - 10}" y="${y + BAR + 4}" text-anchor="end">${escapeText(pair)}</text>`)
    for (const [i, [way]] of WAYS.entries()) {
      const value = bytes(pair, way) ?? 0
      parts.push(
        `<rect x="${LEFT}" y="${y + i * BAR}" width="${round(at(value) - LEFT)}" height="${BAR - 1}" fill="${colours[i]}"/>`,
        `<text x="${at(value) + 6}" y="${y + i * BAR + 10}" font-size="11" fill="#666">${size(value)}</text>`,
      )
    }
  }
  return picture(
    `Bytes into a server for the next deploy, SSH included (fleet of ${servers})`,
    bottom + 30,
    parts,
  )
}

function size(bytes: number): string {
  const [unit, name] = bytes >= 1e6 ? [1e6, 'MB'] : [1e3, 'kB']
  return `${Number((bytes / unit).toPrecision(2))} ${name}`
}
