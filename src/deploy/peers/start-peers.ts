import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import type { Context } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { Receiver } from './remote-peer.ts'

/**
 * Starts the agent on every server, to wait for its order while the package is made, and brings it along where it is
 * missing. `missing` resolves with the servers that it could not be brought to.
 */
export function startReceivers(
  context: Context,
  facts: FleetFacts,
): { receivers: ReadonlyMap<Server, Receiver>; missing: Promise<Failure[]> } {
  const { servers } = context.fleet
  const receivers = new Map<Server, Receiver>()
  const arriving: Promise<Failure[]>[] = []
  for (const server of servers) {
    const bringAgent = !facts.get(server)?.hasAgent
    const receiver = new Receiver(context, server, { bringAgent })
    receivers.set(server, receiver)
    if (!bringAgent) continue
    context.board().update(server.label, { phase: 'upload' })
    arriving.push(receiver.started.then((outcome) => failuresOf(outcome ? [outcome] : [], 'upload')))
  }
  const missing = Promise.all(arriving).then((failures) =>
    failures.flat().map((failure) => ({ ...failure, step: 'upload' })),
  )
  return { receivers, missing }
}
