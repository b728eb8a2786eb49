import { defined } from '../system/defined.ts'
import { bytes, duration, oneLine, percent, rate } from '../text/format.ts'
import { table } from '../text/table.ts'
import { type Failure, failureTable } from './failures.ts'
import { paint } from './output.ts'
import { type ServerRecord, serverTable } from './server-record.ts'

/** Steps of a deploy whose time is reported, in this order. */
export const reportedPhases = ['check', 'upload', 'package', 'seed', 'transfer', 'unpack', 'publish'] as const
export type ReportedPhase = (typeof reportedPhases)[number]

export interface ServerReport {
  server: string
  /** From the start of the transfer until its content was complete and verified. */
  seconds: number
  /** Bytes that came over the network. */
  received?: number
  /** Bytes of these that came from the seeder; the others came from peers. */
  fromSeeder?: number
  /** Bytes that it had sent to other servers when it was complete. */
  sent?: number
  /** Bytes that it had from an earlier release. */
  reused?: number
  /** What its release has from the current one: kept, not sent. */
  carried?: CarriedReport
  /** Peers that sent it wrong bytes, by the server's name where that is known. */
  banned?: string[]
}

/** `names` are the first of the topmost paths, `more` is how many others there are. */
interface CarriedReport {
  files: number
  bytes: number
  names: readonly string[]
  more: number
}

/** The results of a deploy. */
export interface DeployReport {
  /** Bytes of the package. */
  size: number
  /** Servers in the fleet. */
  servers: number
  /** Seconds of the phases that there were. They may overlap. */
  phases: Partial<Record<ReportedPhase, number>>
  /** Seconds from beginning to end. */
  seconds?: number
  /** Servers that are done, in any order. */
  perServer: readonly ServerReport[]
  /** Bytes that the seeder has sent. */
  seederUploaded: number
  failures: readonly Failure[]
  /** For the table of servers. */
  records?: readonly ServerRecord[]
}

export interface Speed {
  server: string
  seconds: number
  rate: number
}

/** Fastest and slowest server. `ratio` is how much the seeder sent, as a multiple of the size. */
export function figures({ perServer, size, seederUploaded }: DeployReport): {
  fastest?: Speed
  slowest?: Speed
  ratio: number
} {
  const ordered = [...perServer].sort((a, b) => a.seconds - b.seconds)
  const speed = ({ server, seconds }: ServerReport): Speed => ({
    server,
    seconds,
    rate: seconds > 0 ? Math.round(size / seconds) : 0,
  })
  const [fastest, slowest] = [ordered[0], ordered.at(-1)]
  return {
    ...defined({ fastest: fastest && speed(fastest), slowest: slowest && speed(slowest) }),
    ratio: size > 0 ? Math.round((100 * seederUploaded) / size) / 100 : 0,
  }
}

/** The report as people read it, with the table of failures when there are any. */
export function reportTable(report: DeployReport, columns = 100, colour = false): string {
  const { size, servers, phases, perServer, failures } = report
  const { fastest, slowest, ratio } = figures(report)
  const named = ({ server, seconds, rate: speed }: Speed) =>
    [oneLine(server), duration(seconds), ...(speed > 0 ? [rate(speed)] : [])].join(', ')
  const reused = perServer.reduce((sum, each) => sum + (each.reused ?? 0), 0) / (perServer.length || 1)
  const rows: string[][] = [
    ['size', bytes(size)],
    ['servers', `${perServer.length} of ${servers} done`],
    ...reportedPhases.flatMap((name) => {
      const seconds = phases[name]
      return seconds === undefined ? [] : [[name, duration(seconds)]]
    }),
    ...(report.seconds === undefined ? [] : [['in all', duration(report.seconds)]]),
    ...(fastest ? [['fastest', named(fastest)]] : []),
    ...(slowest && perServer.length > 1 ? [['slowest', named(slowest)]] : []),
    ...(reused > 0 ? [['reused', `${bytes(reused)} a server, ${percent(reused, size)} of the size`]] : []),
    ...carriedRow(perServer),
    ...bannedRow(perServer),
    ['seeder sent', `${bytes(report.seederUploaded)}, ${ratio.toFixed(2)} times the size`],
  ]
  const each = report.records && report.records.length > 1 ? `\n\n${serverTable(report.records)}` : ''
  if (failures.length === 0) return `${table(rows)}${each}`
  const failed = new Set(failures.map((failure) => failure.server)).size
  const title = `${failed} of ${servers} ${servers === 1 ? 'server' : 'servers'} failed`
  return `${table(rows)}${each}\n\n${paint(colour).bad(title)}\n${failureTable(failures, columns)}`
}

/** Of the server that has most. The log has a line for each. */
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
