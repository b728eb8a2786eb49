import { type DeployReport, figures } from './deploy-report.ts'
import type { Failure } from './failures.ts'
import type { LastServer } from './last-server.ts'
import type { ServerPhase, Step, Summary } from './live/fleet-progress.ts'
import type { ServerReport, Speed } from './server-report.ts'

/**
 * The lines of `MURDER_OUTPUT=json` (docs/output.md). Every line also has `time`, ISO 8601 in UTC. Fields may be added, but
 * none is renamed or removed. Units are bytes, seconds, bytes a second.
 */
export type OutputEvent =
  | { event: 'log'; message: string }
  | { event: 'step'; step: Step }
  | { event: 'server'; server: string; phase: ServerPhase; bytes: number; total: number }
  | ({ event: 'failed' } & Failure)
  | ProgressEvent
  | ReportEvent

/** Over all servers together. `eta` in seconds, null when unknown. */
export type ProgressEvent = { event: 'progress' } & Omit<Summary, 'eta'> & { eta: number | null }

export interface ReportEvent {
  event: 'report'
  size: number
  packaged: boolean
  servers: number
  done: number
  seconds: number | null
  phases: DeployReport['phases']
  fastest: Speed | null
  slowest: Speed | null
  /** Null unless it was clearly later than the others. */
  last: LastServer | null
  seederUploaded: number
  /** `seederUploaded` ÷ `size`. */
  seederRatio: number
  perServer: readonly ServerReport[]
  failures: readonly Failure[]
}

export function progressEvent(summary: Summary): ProgressEvent {
  const { rate, eta, slowest } = summary
  return {
    event: 'progress',
    ...summary,
    rate: Math.round(rate),
    eta: eta === undefined ? null : Math.round(eta * 10) / 10,
    slowest: slowest.map((server) => ({ ...server, rate: Math.round(server.rate) })),
  }
}

export function reportEvent(report: DeployReport): ReportEvent {
  const { fastest, slowest, ratio } = figures(report)
  return {
    event: 'report',
    size: report.size,
    packaged: report.packaged,
    servers: report.servers,
    done: report.perServer.length,
    seconds: report.seconds ?? null,
    phases: report.phases,
    fastest: fastest ?? null,
    slowest: slowest ?? null,
    last: report.last ?? null,
    seederUploaded: report.seederUploaded,
    seederRatio: ratio,
    perServer: report.perServer,
    failures: report.failures,
  }
}
