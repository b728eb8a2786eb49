import { MurderError } from '../../errors.ts'
import type { Outcome } from '../../fleet/fleet.ts'
import { type Failure, failureOf, failureTable } from '../../report/failures.ts'
import type { Context } from '../context/context.ts'

/**
 * Servers failed: the table that says which, where, why and what to do is printed, and this ends the task. `said`: the
 * display has told of each already.
 */
export function fleetError(
  context: Context,
  failures: readonly Failure[],
  consequence: string,
  { said = false } = {},
): MurderError {
  const table = context.mode !== 'json'
  for (const failure of said ? [] : failures) context.fail(failure)
  context.finishBoard()
  if (table) context.shipit.log(`\n${failureTable(failures, process.stdout.columns ?? 100)}\n`)
  const total = context.fleet.all.length
  const failed = new Set(failures.map(({ server }) => server)).size
  const message = `${failed} of ${total} ${total === 1 ? 'server' : 'servers'} failed: ${consequence}`
  return new MurderError('FLEET_FAILED', message, { cure: table ? 'see the table above' : 'see the events' })
}

export function failuresOf(outcomes: readonly Outcome[], step: string): Failure[] {
  return outcomes.flatMap((outcome) =>
    outcome.ok
      ? []
      : [withoutServer(failureOf(outcome.server.label, outcome.error, step), outcome.server.label)],
  )
}

/** The table has a column for the server and one for the step: the cause need not say them again. */
function withoutServer(failure: Failure, label: string): Failure {
  const [first, second, ...rest] = failure.cause.split(': ')
  if (first !== label || rest.length === 0) return failure
  return { ...failure, cause: second === failure.step ? rest.join(': ') : [second, ...rest].join(': ') }
}
