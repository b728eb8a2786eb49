import type { Share } from '../../config/kinds.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import type { Shipit } from '../../shipit.ts'
import type { Context } from '../context/context.ts'
import { fleetError } from './fleet-error.ts'

/** How many of `total` servers may fail. */
export function mostFailures(tolerate: Share, total: number): number {
  const wanted =
    typeof tolerate === 'number' ? tolerate : Math.floor((total * Number.parseFloat(tolerate)) / 100)
  return Math.min(wanted, total - 1)
}

/** Whether the run goes on when these fail, too. */
export function isTolerated({ fleet, settings, leftOut }: Context, failures: readonly Failure[]): boolean {
  const failed = new Set([...leftOut, ...failures].map(({ server }) => server))
  return failed.size <= mostFailures(settings.tolerate, fleet.all.length)
}

/**
 * Leaves the servers that failed out of the rest of the run, also of what other plugins do in it, as long as `tolerate`
 * allows that. Throws FLEET_FAILED, with a table of all failures so far, when it does not. `said`: as in `fleetError`.
 */
export function tolerate(
  context: Context,
  failures: readonly Failure[],
  consequence: string,
  { said = false } = {},
): void {
  if (failures.length === 0) return
  const { fleet, shipit, leftOut } = context
  if (!isTolerated(context, failures)) {
    throw fleetError(context, [...leftOut, ...failures], consequence, { said })
  }
  if (!said) for (const failure of failures) context.board().fail(failure)
  leftOut.push(...failures)
  const failed = new Set(failures.map(({ server }) => server))
  const servers = fleet.servers.filter(({ label }) => failed.has(label))
  fleet.leaveOut(servers)
  withdraw(shipit, servers)
}

/** Takes servers out of what Shipit's own commands, and those of other plugins, run on. */
export function withdraw({ pool }: Shipit, servers: readonly Server[]): void {
  if (!pool) return
  const connections = new Set<unknown>(servers.map(({ connection }) => connection))
  pool.connections = pool.connections.filter((connection) => !connections.has(connection))
}
