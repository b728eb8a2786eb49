import type { Server } from '../../fleet/ssh/server.ts'
import type { Transfer } from '../transfer/transfer.ts'

/**
 * What is seeded from the start: the first when the swarm starts, the others when a server needs them. What is small goes with the
 * orders. `deltas`: what some servers get in place of the package, which is not there when all do.
 */
export function whatIsSeeded(
  servers: readonly Server[],
  whole: Transfer | undefined,
  deltas: ReadonlyMap<Server, Transfer>,
): Transfer[] {
  const wanted = servers.flatMap((server) => deltas.get(server) ?? whole ?? [])
  return [...new Set(wanted.filter(({ content }) => !content))]
}
