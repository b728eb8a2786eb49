import type { Share } from '../../config/kinds.ts'
import type { Failure } from '../../report/failures.ts'
import type { Context } from '../context/context.ts'
import { withdraw } from '../context/ssh-pool.ts'
import { fleetError, tellFailures } from './fleet-error.ts'

/** How many of `total` servers may fail. */
export function mostFailures(tolerate: Share, total: number): number {
  const wanted =
    typeof tolerate === 'number' ? tolerate : Math.floor((total * Number.parseFloat(tolerate)) / 100)
  return Math.min(wanted, total - 1)
}

/** Whether the run may go on without these servers, too. */
export function isTolerated({ fleet, settings, leftOut }: Context, failures: readonly Failure[]): boolean {
  const failed = new Set([...leftOut, ...failures].map(({ server }) => server))
  return failed.size <= mostFailures(settings.tolerate, fleet.all.length)
}

/**
 * Leaves failed servers out of the rest of the run, also out of the commands of other plugins, as long as `tolerate`
 * allows that. Otherwise tells of all failures so far and throws FLEET_FAILED. `said`: as in `tellFailures`.
 */
export function tolerate(
  context: Context,
  failures: readonly Failure[],
  consequence: string,
  { said = false } = {},
): void {
  if (failures.length === 0) return
  const { display, fleet, shipit, leftOut } = context
  if (!isTolerated(context, failures)) {
    const all = [...leftOut, ...failures]
    tellFailures(context, all, { said })
    throw fleetError(all, consequence, context)
  }
  if (!said) for (const failure of failures) display.board().fail(failure)
  leftOut.push(...failures)
  const failed = new Set(failures.map(({ server }) => server))
  const servers = fleet.servers.filter(({ label }) => failed.has(label))
  fleet.leaveOut(servers)
  withdraw(shipit, servers)
}
