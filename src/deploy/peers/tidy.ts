import type { Server } from '../../fleet/ssh/server.ts'
import { author } from '../context/author.ts'
import type { TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { placesOf } from '../paths/places.ts'
import { transferPath } from '../paths/server-paths.ts'
import { removeTransferScript, undoScript } from '../scripts/releases/undo-script.ts'
import type { RemotePeer } from './remote-peer.ts'

/** An unreachable server must not delay the end of a deploy. */
const TIDY_TIMEOUT_S = 20

/**
 * Ends the peers of a transfer, which remove their own files on the servers. If a peer does not end, its directory is removed,
 * and with it its lease.
 */
export async function tidy(context: TaskContext, tag: string, peers: readonly RemotePeer[]): Promise<void> {
  const ended = await Promise.all(peers.map((peer) => peer.end()))
  const servers = peers.filter((_, index) => !ended[index]).map(({ server }) => server)
  const remove = (server: Server) => ({
    script: removeTransferScript(transferPath(placesOf(context, server), tag)),
  })
  const outcomes = await context.fleet.run('tidy', remove, {
    servers,
    totalTimeoutS: TIDY_TIMEOUT_S,
  })
  for (const { server, cause } of failuresOf(outcomes, 'tidy')) {
    context.display.board().log(`${server}: temporary files may be left: ${cause}`, server)
  }
}

/**
 * Takes back a transfer that failed: ends its processes, removes its directory, the half-made release, and the whole release on
 * the servers in `unpacked`. Says what could not be removed.
 */
export async function undo(
  context: TaskContext,
  tag: string,
  unpacked: ReadonlySet<Server>,
  servers: readonly Server[] = context.fleet.servers,
): Promise<void> {
  const common = { tag, author: author() }
  const outcomes = await context.fleet.run(
    'undo',
    (server) => {
      const places = placesOf(context, server)
      const { deployTo } = places
      const directory = transferPath(places, tag)
      return { script: undoScript({ ...common, deployTo, directory, withRelease: unpacked.has(server) }) }
    },
    { servers, totalTimeoutS: TIDY_TIMEOUT_S },
  )
  for (const { server, cause } of failuresOf(outcomes, 'undo')) {
    say(context, `${server}: what was half made could not be removed: ${cause}`) // The display has ended.
  }
}
