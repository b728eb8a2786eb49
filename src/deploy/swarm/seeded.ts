import type { Server } from '../../fleet/ssh/server.ts'
import type { Transfer } from '../transfer/transfer.ts'

/**
 * The transfers to seed: the first when the swarm starts, the others when a server needs them. Small content goes with the
 * orders. `deltas`: transfers that some servers get in place of the package. If all servers get one, there is no package.
 */
export function whatIsSeeded(
  servers: readonly Server[],
  whole: Transfer | undefined,
  deltas: ReadonlyMap<Server, Transfer>,
): Transfer[] {
  const wanted = servers.flatMap((server) => deltas.get(server) ?? whole ?? [])
  return [...new Set(wanted.filter(({ content }) => !content))]
}
