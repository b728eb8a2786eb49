import { ExitCode, MurderError } from '../../errors.ts'
import type { Outcome } from '../../fleet/command.ts'
import { type Failure, failureOf, failureTable } from '../../report/failures.ts'
import { columnsOf } from '../../report/output.ts'
import type { TaskContext } from '../context/context.ts'

/** Ends the task if any server failed: reports all failures and throws FLEET_FAILED. Options as in `tellFailures`. */
export function assertNoFailures(
  context: Pick<TaskContext, 'display' | 'fleet' | 'shipit'>,
  failures: readonly Failure[],
  consequence: Consequence,
  options: { said?: boolean } = {},
): void {
  if (failures.length === 0) return
  tellFailures(context, failures, options)
  throw fleetError(failures, consequence, context)
}

/**
 * Ends the display and prints a table: which server failed where, why, and what to do. With JSON there is an event for each
 * instead. `said`: the display has already reported each.
 */
export function tellFailures(
  { display, shipit }: Pick<TaskContext, 'display' | 'shipit'>,
  failures: readonly Failure[],
  { said = false } = {},
): void {
  if (failures.length === 0) return
  if (!said) for (const failure of failures) display.fail(failure)
  display.finish()
  if (display.mode !== 'json') shipit.log(`\n${failureTable(failures, columnsOf(process.stdout))}\n`)
}

/** The end of the error's sentence: the state of the whole fleet, or of the servers that did not fail (one, or several). */
export type Consequence = string | { one: string; several: string }

function consequenceFor(consequence: Consequence, others: number): string {
  if (typeof consequence === 'string') return consequence
  if (others === 0) return `none ${consequence.one}`
  return others === 1 ? `the other ${consequence.one}` : `the others ${consequence.several}`
}

/** `total`: how many servers were asked; all unless told otherwise. */
export function fleetError(
  failures: readonly Failure[],
  consequence: Consequence,
  { display, fleet }: Pick<TaskContext, 'display' | 'fleet'>,
  {
    exitCode = ExitCode.failed,
    total = fleet.all.length,
  }: { exitCode?: number | undefined; total?: number } = {},
): MurderError {
  const failed = new Set(failures.map(({ server }) => server)).size
  const message = `${failed} of ${total} ${total === 1 ? 'server' : 'servers'} failed: ${consequenceFor(consequence, total - failed)}`
  const cure = display.mode === 'json' ? 'see the events' : 'see the table above'
  return new MurderError('FLEET_FAILED', message, { cure, exitCode })
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
