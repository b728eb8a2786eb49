import { ExitCode, explain, MurderError } from '../../errors.ts'
import type { DeployReport } from '../../report/deploy-report.ts'
import type { Shipit } from '../../shipit.ts'
import type { Context } from '../context/context.ts'

/**
 * The final report as a plain object, for MURDER_REPORT and the event `murder:done`. `deployed`: the part of a deploy that got
 * that far. `release`: the one that this run has tried to publish, which is not Shipit's any more once all has gone back.
 */
export function runReport(
  { shipit, record, leftOut, staging }: Pick<Context, 'leftOut' | 'record' | 'shipit' | 'staging'>,
  begun: Date,
  error: unknown,
  deployed: DeployReport | undefined,
  release = shipit.releaseDirname,
) {
  const exitCode = error instanceof MurderError ? error.exitCode : error ? ExitCode.failed : ExitCode.done
  const { size, packaged, phases, seederUploaded } = deployed ?? record
  const ended = new Date()
  return {
    environment: shipit.environment,
    release: release ?? null,
    revision: shipit.currentRevision ?? null,
    previousRelease: releaseBefore(shipit),
    begun: begun.toISOString(),
    ended: ended.toISOString(),
    seconds: (ended.getTime() - begun.getTime()) / 1000,
    exitCode,
    error: error === undefined ? null : said(error),
    staged: staging === true && error === undefined,
    published: record.servers.some(({ published }) => published),
    size,
    packaged,
    phases,
    seederUploaded,
    last: record.last ?? null,
    groups: record.groups,
    drained: record.drained,
    wentBack: [...record.wentBack],
    leftOut: leftOut.map(({ server }) => server),
    servers: record.servers,
  }
}

/** What was live before, on most servers; a rollback has a name of its own for it. */
export const releaseBefore = ({ previousRelease, prevReleaseDirname }: Shipit): string | null =>
  previousRelease ?? prevReleaseDirname ?? null

export type RunReport = ReturnType<typeof runReport>

/** The report itself says why servers have failed: here there is no table above it. */
export const said = (error: unknown): string =>
  error instanceof MurderError && error.code === 'FLEET_FAILED' ? error.message : explain(error)
