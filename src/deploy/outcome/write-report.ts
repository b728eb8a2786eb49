import { appendFileSync, writeFileSync } from 'node:fs'
import { explain } from '../../errors.ts'
import { writeWhole } from '../../files/write-whole.ts'
import type { Shipit } from '../../shipit.ts'
import { annotations, ciSummary } from './ci-summary.ts'
import { metricsText } from './metrics.ts'
import type { RunReport } from './run-report.ts'
import { isPicture } from './save-picture.ts'

/** node_exporter reads it as another user. */
const METRICS_MODE = 0o644

/** Writes the report wherever the environment asks for it. A failure is logged and does not fail the run. */
export function writeReport(shipit: Shipit, report: RunReport, env: NodeJS.ProcessEnv = process.env): void {
  const { MURDER_REPORT, MURDER_METRICS, GITHUB_STEP_SUMMARY, GITHUB_ACTIONS } = env
  const write = (what: string, file: string | undefined, writing: (file: string) => void) => {
    if (!file) return
    try {
      writing(file)
    } catch (error) {
      shipit.log(`${what} could not be written: ${explain(error)}`)
    }
  }
  write('MURDER_REPORT', MURDER_REPORT, (file) => {
    if (isPicture(file)) return // savePicture() writes it
    writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`)
  })
  // Replaced as a whole, because the collector may read it at any moment.
  write('MURDER_METRICS', MURDER_METRICS, (file) => {
    writeWhole(file, metricsText(report), { mode: METRICS_MODE })
  })
  write('GITHUB_STEP_SUMMARY', GITHUB_STEP_SUMMARY, (file) => appendFileSync(file, ciSummary(report)))
  if (GITHUB_ACTIONS === 'true') process.stdout.write(annotations(report))
}
