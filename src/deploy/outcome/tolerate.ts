import type { Share } from '../../config/kinds/rollout.ts'
import { type Failure, failureTable } from '../../report/failures.ts'
import { columnsOf } from '../../report/output.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { withdraw } from '../context/servers/ssh-pool.ts'
import { fleetError, tellFailures } from './fleet-error.ts'
import { count } from './say.ts'

/** How many of `total` servers may fail. */
export function mostFailures(tolerate: Share, total: number): number {
  const wanted =
    typeof tolerate === 'number' ? tolerate : Math.floor((total * Number.parseFloat(tolerate)) / 100)
  return Math.min(wanted, total - 1)
}

/** Whether the run may go on without these servers, too. */
export function isTolerated(
  { fleet, settings, leftOut }: Pick<Context, 'fleet' | 'leftOut' | 'settings'>,
  failures: readonly Failure[],
): boolean {
  const failed = new Set([...leftOut, ...failures].map(({ server }) => server))
  return failed.size <= mostFailures(settings.tolerate, fleet.all.length)
}

/** Says above the display which servers are left out and why, once. The report at the end only names them. */
function tellLeftOut(
  { display, fleet }: Pick<TaskContext, 'display' | 'fleet'>,
  failures: readonly Failure[],
  said: boolean,
): void {
  const board = display.board()
  if (!said) for (const failure of failures) board.fail(failure, { quietly: true })
  if (display.mode === 'json') return
  const failed = new Set(failures.map(({ server }) => server)).size
  const title = `${failed} of ${count(fleet.all.length, 'server')} failed; murder.tolerate lets the others go on:`
  board.log(`${title}\n${failureTable(failures, columnsOf(process.stdout))}`)
}

/**
 * Leaves failed servers out of the rest of the run, also out of the commands of other plugins, as long as `tolerate`
 * allows that. Otherwise reports all failures so far and throws FLEET_FAILED. `said`: as in `tellFailures`.
 */
export function tolerate(
  context: Pick<Context, 'display' | 'fleet' | 'leftOut' | 'settings' | 'shipit'>,
  failures: readonly Failure[],
  consequence: string,
  { said = false, exitCode }: { said?: boolean; exitCode?: number } = {},
): void {
  if (failures.length === 0) return
  const { fleet, shipit, leftOut } = context
  if (!isTolerated(context, failures)) {
    const all = [...leftOut, ...failures]
    tellFailures(context, all, { said })
    throw fleetError(all, consequence, context, { exitCode })
  }
  tellLeftOut(context, failures, said)
  leftOut.push(...failures)
  const failed = new Set(failures.map(({ server }) => server))
  const servers = fleet.servers.filter(({ label }) => failed.has(label))
  fleet.leaveOut(servers)
  withdraw(shipit, servers)
}
