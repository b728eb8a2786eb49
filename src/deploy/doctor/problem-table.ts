import { adviceTable } from '../../report/advice-table.ts'
import { groupFailures } from '../../report/failure-groups.ts'
import { mergeConnections } from './merge-connections.ts'
import type { Problem, ProblemGroup } from './problem.ts'

/** Each problem once, with all servers that have it. */
export function groupProblems(problems: readonly Problem[]): ProblemGroup[] {
  const others = problems.filter(({ to }) => to === undefined)
  const groups = groupFailures(others.map(({ check, ...rest }) => ({ ...rest, step: check })))
  return [
    ...groups.map(({ servers, step, cause, cure = '' }) => ({ servers, check: step, cause, cure })),
    ...mergeConnections(problems),
  ]
}

export const problemTable = (groups: readonly ProblemGroup[], columns: number): string =>
  adviceTable(
    groups.map(({ check, ...group }) => ({ ...group, at: check })),
    'check',
    columns,
  )
