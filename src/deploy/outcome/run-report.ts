import { writeFileSync } from 'node:fs'
import { ExitCode, explain, MurderError } from '../../errors.ts'
import type { DeployReport } from '../../report/deploy-report.ts'
import type { Context } from '../context/context.ts'

/** What of a run is known when it ends. */
export interface RunEnd {
  report?: DeployReport
  error?: unknown
}

/** The final report as a plain object: what MURDER_REPORT gets, and the event `murder:done`. */
export function runReport(context: Context, begun: Date, { report, error }: RunEnd) {
  const { shipit, record, leftOut } = context
  const exitCode = error instanceof MurderError ? error.exitCode : error ? ExitCode.failed : ExitCode.done
  const { size, phases, seederUploaded } = report ?? record
  const ended = new Date()
  return {
    environment: shipit.environment,
    release: shipit.releaseDirname ?? null,
    revision: shipit.currentRevision ?? null,
    previousRelease: shipit.previousRelease ?? null,
    begun: begun.toISOString(),
    ended: ended.toISOString(),
    seconds: (ended.getTime() - begun.getTime()) / 1000,
    exitCode,
    error: error === undefined ? null : explain(error),
    published: record.servers.some(({ published }) => published),
    size,
    phases,
    seederUploaded,
    leftOut: leftOut.map(({ server }) => server),
    servers: record.servers,
  }
}

export type RunReport = ReturnType<typeof runReport>

/** Writes the report where MURDER_REPORT says. What fails here is said, and changes nothing else. */
export function writeReport(context: Context, report: RunReport): void {
  const file = process.env.MURDER_REPORT
  if (!file) return
  try {
    writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`)
  } catch (error) {
    context.shipit.log(`MURDER_REPORT could not be written: ${explain(error)}`)
  }
}

/** For other plugins. */
export const tellDone = ({ shipit }: Context, report: RunReport): boolean =>
  shipit.emit('murder:done', report)
