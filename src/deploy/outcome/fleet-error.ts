import { MurderError } from '../../errors.ts'
import type { Outcome } from '../../fleet/fleet.ts'
import { type Failure, failureOf, failureTable } from '../../report/failures.ts'
import type { Context } from '../context/context.ts'

/** Ends the task where any server failed: tells of all failures and throws FLEET_FAILED. Options as in `tellFailures`. */
export function assertNoFailures(
  context: Context,
  failures: readonly Failure[],
  consequence: string,
  options: { said?: boolean } = {},
): void {
  if (failures.length === 0) return
  tellFailures(context, failures, options)
  throw fleetError(failures, consequence, context)
}

/**
 * Ends the display and prints a table: which server failed where, why, and what to do. With JSON there is an event for each instead.
 * `said`: the display has told of each already.
 */
export function tellFailures(
  { display, shipit }: Context,
  failures: readonly Failure[],
  { said = false } = {},
): void {
  if (!said) for (const failure of failures) display.fail(failure)
  display.finish()
  if (display.mode !== 'json') shipit.log(`\n${failureTable(failures, process.stdout.columns ?? 100)}\n`)
}

export function fleetError(
  failures: readonly Failure[],
  consequence: string,
  { display, fleet }: Context,
): MurderError {
  const total = fleet.all.length
  const failed = new Set(failures.map(({ server }) => server)).size
  const message = `${failed} of ${total} ${total === 1 ? 'server' : 'servers'} failed: ${consequence}`
  const cure = display.mode === 'json' ? 'see the events' : 'see the table above'
  return new MurderError('FLEET_FAILED', message, { cure })
}

export function failuresOf(outcomes: readonly Outcome[], step: string): Failure[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.ok) return []
    const { label } = outcome.server
    return [withoutServer(failureOf(label, outcome.error, step), label)]
  })
}

/** The table has a column for the server and one for the step, so the cause need not repeat them. */
function withoutServer(failure: Failure, label: string): Failure {
  const [first, second, ...rest] = failure.cause.split(': ')
  if (first !== label || rest.length === 0) return failure
  return { ...failure, cause: second === failure.step ? rest.join(': ') : [second, ...rest].join(': ') }
}
