import { mkdirSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { MurderError } from '../../errors.ts'
import { intoFile } from '../../files/bounded-file.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { signaturePath } from '../../package/delta/base/kept-base.ts'
import { bytes } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { agentPath } from '../paths/agent-program.ts'
import { placesOf } from '../paths/places.ts'
import { setNodeOf } from '../paths/server-node.ts'
import { recordPath, releasesPath } from '../paths/server-paths.ts'
import type { RemotePeer } from '../peers/remote-peer.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { nodeScript } from '../scripts/node/node-script.ts'
import { STALL_GRACE_S } from '../timeouts.ts'
import { releaseOf } from './bases.ts'
import type { BaseGroup } from './group-by-base.ts'

/** The agents that run on servers, or will do so. */
export type Peers = ReadonlyMap<Server, Pick<RemotePeer, 'started'>>

interface SignatureRequest {
  facts: FleetFacts
  peers: Peers
  /** Bytes of the new release. */
  size: number
  signal: AbortSignal
}

/** One server may have changed files. */
const MAX_ASKED = 2
/** A signature has about a 150th of a release, and some bytes for each file. */
const MAX_SHARE = 1 / 16
const MIN_LIMIT_BYTES = 1 << 20

/**
 * Fetches the signature of this group's base from one of its servers, into the directory of bases. Only its length is checked:
 * readers must not trust it. Throws BAD_SIGNATURE for one that is too long, NO_AGENT, and the server's failure.
 */
export async function fetchSignature(
  context: TaskContext,
  { id, servers, bases }: BaseGroup & { bases: string },
  { facts, peers, size, signal }: SignatureRequest,
): Promise<void> {
  const hasAgent = (server: Server) => facts.get(server)?.hasAgent === true
  const ordered = [...servers].sort((a, b) => Number(hasAgent(b)) - Number(hasAgent(a)))
  const limit = MIN_LIMIT_BYTES + size * MAX_SHARE
  let failure: unknown
  for (const server of ordered.slice(0, MAX_ASKED)) {
    try {
      await assertAgent(server, hasAgent(server), peers)
      const release = releaseOf(facts.get(server), id) ?? ''
      return await fetchFrom(context, server, { release, id, file: signaturePath(bases, id), limit, signal })
    } catch (error) {
      failure ??= error
    }
    if (signal.aborted) break
  }
  throw failure
}

async function assertAgent(server: Server, isThere: boolean, peers: Peers): Promise<void> {
  if (isThere) return
  const peer = peers.get(server)
  if (!peer || (await peer.started))
    throw new MurderError('NO_AGENT', `${server.label} has no agent that could say what it has`)
}

interface FromServer {
  release: string
  id: string
  /** The file to write. */
  file: string
  /** Bytes. A longer signature would save nothing. */
  limit: number
  signal: AbortSignal
}

async function fetchFrom(
  context: TaskContext,
  server: Server,
  { release, id, file, limit, signal }: FromServer,
): Promise<void> {
  const { fleet, settings } = context
  const places = placesOf(context, server)
  const paths = [posix.join(releasesPath(places.deployTo), release), recordPath(places.deployTo, release)]
  const script = nodeScript(setNodeOf(context, server), agentPath(places), 'signature', ...paths, id)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const tooLong = () =>
    new MurderError(
      'BAD_SIGNATURE',
      `${server.label} sends more than the ${bytes(limit)} that could save anything`,
    )
  const { stall } = settings.timeouts
  const stallTimeoutS = stall > 0 ? stall + STALL_GRACE_S : 0
  const outcome = await intoFile(file, { limit, tooLong }, (onBytes) =>
    fleet.runOn(server, 'delta', { script, onBytes }, { signal, stallTimeoutS }),
  )
  if (!outcome.ok) throw outcome.error
}
