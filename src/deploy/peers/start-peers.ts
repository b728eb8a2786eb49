import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import type { TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { RemotePeer } from './remote-peer.ts'

/**
 * Starts the agent on these servers, so that it waits for its order while the package is made. Uploads it where it is missing.
 * `missing` resolves with the servers where the upload failed.
 */
export function startPeers(
  context: TaskContext,
  facts: FleetFacts,
  servers: readonly Server[] = context.fleet.servers,
): { peers: ReadonlyMap<Server, RemotePeer>; missing: Promise<Failure[]> } {
  const peers = new Map<Server, RemotePeer>()
  const uploads: Promise<Failure[]>[] = []
  for (const server of servers) {
    const bringAgent = !facts.get(server)?.hasAgent
    const peer = new RemotePeer(context, server, { bringAgent })
    peers.set(server, peer)
    if (!bringAgent) continue
    context.display.board().update(server.label, { phase: 'upload' })
    uploads.push(peer.started.then((outcome) => failuresOf(outcome ? [outcome] : [], 'upload')))
  }
  const missing = Promise.all(uploads).then((failures) =>
    failures.flat().map((failure) => ({ ...failure, step: 'upload' })),
  )
  return { peers, missing }
}
