import { explain, MurderError } from '../errors.ts'
import { defined } from '../system/defined.ts'
import { adviceTable } from './advice-table.ts'
import { type Failure, groupFailures, sharedCause } from './failure-groups.ts'

export type { Failure } from './failure-groups.ts'

/** `error` as a failure of `server`. The error's own server and step take precedence. */
export function failureOf(server: string, error: unknown, step: string): Failure {
  if (!(error instanceof MurderError)) return { server, step, cause: explain(error) }
  return {
    server: error.server ?? server,
    step: error.step ?? step,
    cause: error.message,
    ...defined({ cure: error.cure }),
  }
}

/** The table of failures: servers, step, cause, cure. Servers that failed for the same reason share a row. */
export function failureTable(failures: readonly Failure[], columns: number): string {
  const rows = groupFailures(failures).map((group) => {
    const { servers, step, cure = '' } = group
    // Not after the cure, which may end in a command to paste.
    return { servers, at: step, cause: sharedCause(group), cure }
  })
  return adviceTable(rows, 'step', columns)
}
