import type { Server } from '../../fleet/ssh/server.ts'
import type { Transfer } from '../transfer/transfer.ts'

export interface Seeded {
  /** Whether any server needs the swarm from the start: what is small goes with the orders. */
  isNeeded: boolean
  /** What may travel: the first is seeded when the swarm starts, the others when a server needs them. */
  seeded: [Transfer, ...Transfer[]]
}

/** `deltas`: what some servers get in place of the package, as long as it fits them. */
export function whatIsSeeded(
  servers: readonly Server[],
  whole: Transfer,
  deltas: ReadonlyMap<Server, Transfer>,
): Seeded {
  const wanted = servers.map((server) => deltas.get(server) ?? whole).filter(({ content }) => !content)
  const [first = whole, ...others] = new Set([...wanted, whole])
  return { isNeeded: wanted.length > 0, seeded: [first, ...others] }
}
