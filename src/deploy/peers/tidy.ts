import type { Server } from '../../fleet/ssh/server.ts'
import type { Context } from '../context/context.ts'
import { deployToOf, releasesPath, transferPath } from '../context/server-paths.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { removeTransferScript, undoScript } from '../scripts/undo-script.ts'
import type { Receiver } from './remote-peer.ts'

/** A server that cannot be reached any more must not hold up the end of a deploy. */
const TIDY_TIMEOUT_S = 20

/**
 * Ends the peers of a transfer and removes what it left on the servers. Where a peer does not do that itself, its
 * directory is removed, which is the lease it lives by.
 */
export async function tidy(context: Context, tag: string, receivers: readonly Receiver[]): Promise<void> {
  const ended = await Promise.all(receivers.map((receiver) => receiver.end()))
  const servers = receivers.filter((_, index) => !ended[index]).map(({ server }) => server)
  const script = removeTransferScript(transferPath(context.settings, tag))
  const outcomes = await context.fleet.run('tidy', () => ({ script }), {
    servers,
    totalTimeout: TIDY_TIMEOUT_S,
  })
  for (const { server, cause } of failuresOf(outcomes, 'tidy')) {
    context.board().log(`${server}: temporary files may be left: ${cause}`)
  }
}

/**
 * Takes back a transfer that failed: ends what still runs for it, removes its directory, what was unpacked halfway, and
 * the whole release where it is this transfer's. Best effort: says what could not be removed.
 */
export async function undo(
  context: Context,
  tag: string,
  unpacked: ReadonlySet<Server>,
  servers: readonly Server[] = context.fleet.servers,
): Promise<void> {
  const releases = releasesPath(deployToOf(context.shipit))
  const directory = transferPath(context.settings, tag)
  const outcomes = await context.fleet.run(
    'undo',
    (server) => ({ script: undoScript({ directory, releases, tag, withRelease: unpacked.has(server) }) }),
    { servers, totalTimeout: TIDY_TIMEOUT_S },
  )
  for (const { server, cause } of failuresOf(outcomes, 'undo')) {
    say(context, `${server}: what was half made could not be removed: ${cause}`) // the display has ended
  }
}
