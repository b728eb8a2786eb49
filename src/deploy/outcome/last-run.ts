import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { explain, isSystemError } from '../../errors.ts'
import { defined } from '../../system/defined.ts'
import type { TaskContext } from '../context/context.ts'
import { lastRunFile } from '../paths/local-paths.ts'
import type { RunReport } from './run-report.ts'

/** The outcome of the last deploy or rollback, for murder:retry. */
export interface LastRun {
  release: string | null
  revision: string | null
  /** Whether any server has published it. If so, only the servers in `failed` lack it. */
  published: boolean
  failed: string[]
  /**
   * Undefined for a deploy. `alone`: a `deploy:publish` by itself. No deploy has brought that release, so there is none to
   * repeat.
   */
  kind?: 'alone' | 'rollback'
}

export function saveLastRun(
  { shipit }: Pick<TaskContext, 'shipit'>,
  report: RunReport,
  kind: LastRun['kind'],
): void {
  const { release, revision, published, leftOut, servers } = report
  const without = servers.flatMap(({ server, published }) => (published ? [] : [server]))
  const failed = report.exitCode === 0 ? leftOut : without
  const file = lastRunFile(shipit.environment)
  try {
    const last: LastRun = { release, revision, published, failed, ...defined({ kind }) }
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${JSON.stringify(last, undefined, 2)}\n`, { mode: 0o600 })
  } catch (error) {
    shipit.log(`murder:retry will not know of this deploy: ${explain(error)}`)
  }
}

export function loadLastRun(environment: string): LastRun | undefined {
  try {
    return JSON.parse(readFileSync(lastRunFile(environment), 'utf8')) as LastRun
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}
