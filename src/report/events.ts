import { type DeployReport, figures, type ServerReport } from './deploy-report.ts'
import type { Failure } from './failures.ts'
import type { ServerPhase, Step, Summary } from './fleet-progress.ts'

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

export interface ProgressEvent {
  event: 'progress'
  step: Step
  /** Over all servers together. */
  bytes: number
  total: number
  rate: number
  /** Seconds; null when unknown. */
  eta: number | null
  servers: number
  done: number
  failed: number
  seederUploaded: number
  slowest: { server: string; phase: ServerPhase; bytes: number; total: number; rate: number }[]
}

export interface ReportEvent {
  event: 'report'
  size: number
  servers: number
  done: number
  seconds: number | null
  phases: DeployReport['phases']
  fastest: { server: string; seconds: number; rate: number } | null
  slowest: { server: string; seconds: number; rate: number } | null
  seederUploaded: number
  /** `seederUploaded` ÷ `size`. */
  seederRatio: number
  perServer: readonly ServerReport[]
  failures: readonly Failure[]
}

export function progressEvent(summary: Summary): ProgressEvent {
  const { step, bytes, total, rate, eta, servers, done, failed, seederUploaded, slowest } = summary
  return {
    event: 'progress',
    step,
    bytes,
    total,
    rate: Math.round(rate),
    eta: eta === undefined ? null : Math.round(eta * 10) / 10,
    servers,
    done,
    failed,
    seederUploaded,
    slowest: slowest.map(({ server, phase, bytes, total, rate }) => ({
      server,
      phase,
      bytes,
      total,
      rate: Math.round(rate),
    })),
  }
}

export function reportEvent(report: DeployReport): ReportEvent {
  const { fastest, slowest, ratio } = figures(report)
  return {
    event: 'report',
    size: report.size,
    servers: report.servers,
    done: report.perServer.length,
    seconds: report.seconds ?? null,
    phases: report.phases,
    fastest: fastest ?? null,
    slowest: slowest ?? null,
    seederUploaded: report.seederUploaded,
    seederRatio: ratio,
    perServer: report.perServer,
    failures: report.failures,
  }
}
