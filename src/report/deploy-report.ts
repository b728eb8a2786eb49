import { defined } from '../system/defined.ts'
import { fittedTable } from '../text/fitted-table.ts'
import { bytes, duration, nameSome, oneLine, percent, rate } from '../text/format.ts'
import { wrap } from '../text/table.ts'
import { type Between, closedText } from './exchange.ts'
import type { Failure } from './failures.ts'
import { type LastServer, lastText } from './last-server.ts'
import { paint } from './output.ts'
import { type ServerRecord, serverTable } from './server-record.ts'
import { type CarriedReport, type ServerReport, type Speed, speedOf } from './server-report.ts'

const MIN_TEXT_WIDTH = 20
/** So many servers are named; JSON has all. */
const MAX_NAMES = 10

/** Steps of a deploy whose time is reported, in this order. */
export const reportedPhases = ['check', 'upload', 'package', 'seed', 'transfer', 'unpack', 'publish'] as const
export type ReportedPhase = (typeof reportedPhases)[number]

/** The results of a deploy. */
export interface DeployReport {
  /** Bytes of the package, or of the release's files when no package was made, because every server got a delta. */
  size: number
  packaged: boolean
  /** Servers in the fleet. */
  servers: number
  /** Seconds of each phase that took place. Phases may overlap. */
  phases: Partial<Record<ReportedPhase, number>>
  /** Seconds from beginning to end. */
  seconds?: number
  /** Servers that are done, in any order. */
  perServer: readonly ServerReport[]
  /** Bytes that the seeder has sent. */
  seederUploaded: number
  failures: readonly Failure[]
  between: Between
  /** The last server, if it was clearly later than the others. */
  last?: LastServer
  /** The data of the servers' table. */
  records?: readonly ServerRecord[]
}

/** Fastest and slowest server. `ratio` is how much the seeder sent, as a multiple of the size. */
export function figures({ perServer, size, seederUploaded }: DeployReport): {
  fastest?: Speed
  slowest?: Speed
  ratio: number
} {
  const ordered = [...perServer].sort((a, b) => a.seconds - b.seconds)
  const speed = (report: ServerReport): Speed => ({
    server: report.server,
    seconds: report.seconds,
    rate: speedOf(report),
  })
  const [fastest, slowest] = [ordered[0], ordered.at(-1)]
  return {
    ...defined({ fastest: fastest && speed(fastest), slowest: slowest && speed(slowest) }),
    ratio: size > 0 ? Math.round((100 * seederUploaded) / size) / 100 : 0,
  }
}

/** The report for people. The causes of failures were printed when the servers were left out. */
export function reportTable(report: DeployReport, columns: number, colour = false): string {
  const { size, packaged, servers, phases, perServer, failures } = report
  const { fastest, slowest, ratio } = figures(report)
  const named = ({ server, seconds, rate: speed }: Speed) =>
    [oneLine(server), duration(seconds), ...(speed > 0 ? [rate(speed)] : [])].join(', ')
  const closed = closedText(perServer, report.between)
  const rows: string[][] = [
    ['size', `${bytes(size)}${packaged ? '' : ' of files, no package was made'}`],
    ['servers', `${perServer.length} of ${servers} done`],
    ...reportedPhases.flatMap((name) => {
      const seconds = phases[name]
      return seconds === undefined ? [] : [[name, duration(seconds)]]
    }),
    ...(report.seconds === undefined ? [] : [['in all', duration(report.seconds)]]),
    ...(fastest ? [['fastest', named(fastest)]] : []),
    ...(slowest && perServer.length > 1 ? [['slowest', named(slowest)]] : []),
    ...(report.last ? [['last', lastText(report.last)]] : []),
    ...deltaRows(perServer, size),
    ...carriedRow(perServer),
    ...bannedRow(perServer),
    ['seeder sent', `${bytes(report.seederUploaded)}, ${ratio.toFixed(2)} times the size`],
    ...(closed === undefined ? [] : [['closed', closed]]),
  ]
  const each =
    report.records && report.records.length > 1 ? `\n\n${serverTable(report.records, columns)}` : ''
  const above = `${fittedTable(rows, [{}, { textAtLeast: MIN_TEXT_WIDTH }], columns)}${each}`
  if (failures.length === 0) return above
  const failed = [...new Set(failures.map(({ server }) => oneLine(server)))]
  const title = `${failed.length} of ${servers} ${servers === 1 ? 'server' : 'servers'} failed`
  const text = `${title}, as the table above says: ${nameSome(failed, MAX_NAMES)}`
  return `${above}\n\n${paint(colour).bad(wrap(text, columns).join('\n'))}`
}

/** Rows about deltas: what servers with an earlier release got in place of the package, and where it did not fit. */
function deltaRows(perServer: readonly ServerReport[], size: number): string[][] {
  const deltas = perServer.flatMap(({ delta }) => delta ?? [])
  const sizes = deltas.flatMap(({ bytes, unchanged }) => (unchanged ? [] : [bytes]))
  const staged = deltas.filter((delta) => delta.unchanged && delta.staged).length
  const same = deltas.length - sizes.length - staged
  const refused = perServer.flatMap(({ server, refusedDelta }) =>
    refusedDelta === undefined ? [] : [server],
  )
  const most = Math.max(...sizes)
  const share = most * 1000 < size ? 'less than 0.1%' : percent(most, size)
  const of = (count: number) => `${count} of ${perServer.length} servers`
  const to = of(sizes.length)
  return [
    ...(staged > 0 ? [['staged already', `on ${of(staged)}, which made it of what was staged`]] : []),
    ...(same > 0 ? [['nothing changed', `on ${of(same)}, which made it of their current release`]] : []),
    ...(sizes.length > 0 ? [['delta', `${bytes(most)} to ${to}, ${share} of the size`]] : []),
    ...(refused.length > 0
      ? [
          [
            'no delta',
            `${nameSome(refused.map(oneLine), MAX_NAMES)}: changed there, so it took the whole package`,
          ],
        ]
      : []),
  ]
}

/** A row about the server that carried over most. The log has a line for each server. */
function carriedRow(perServer: readonly ServerReport[]): string[][] {
  const all = perServer.flatMap(({ carried }) => (carried && carried.names.length > 0 ? [carried] : []))
  const [most] = all.sort((a, b) => b.bytes - a.bytes)
  if (!most) return []
  const on = all.length === perServer.length ? '' : ` on ${all.length} of ${perServer.length} servers`
  return [['carried over', `${carriedText(most)}${on}`]]
}

/** `1,204 files, 35 MiB: node_modules, .env` */
export function carriedText({ files, bytes: size, names, more }: CarriedReport): string {
  const listed = names.map(oneLine).join(', ')
  const count = `${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'}`
  return `${count}, ${bytes(size)}: ${listed}${more > 0 ? ` and ${more} more` : ''}`
}

/** Peers that sent wrong bytes. No release has these bytes, but someone should look at the machine. */
function bannedRow(perServer: readonly ServerReport[]): string[][] {
  const peers = new Set(perServer.flatMap(({ banned = [] }) => banned))
  return peers.size === 0 ? [] : [['banned', `${[...peers].map(oneLine).join(', ')}: sent wrong bytes`]]
}
