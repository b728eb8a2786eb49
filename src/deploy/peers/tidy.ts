import type { Server } from '../../fleet/ssh/server.ts'
import { all, quotePath } from '../../text/shell-quote.ts'
import type { Context } from '../context/context.ts'
import { releasesPath, transferPath } from '../context/server-paths.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import type { Receiver } from './remote-peer.ts'

/** Seconds: servers that cannot be reached any more must not hold up the end of a deploy. */
const PATIENCE = 20

/**
 * Ends the peers of a transfer and removes what it left on the servers. Where a peer does not do that itself, its
 * directory is removed, which is the lease it lives by.
 */
export async function tidy(context: Context, tag: string, receivers: readonly Receiver[]): Promise<void> {
  const ended = await Promise.all(receivers.map((receiver) => receiver.end()))
  const servers = receivers.filter((_, index) => !ended[index]).map(({ server }) => server)
  const script = `rm -rf ${quotePath(transferPath(context.settings, tag))}`
  const outcomes = await context.fleet.run('tidy', () => ({ script }), { servers, totalTimeout: PATIENCE })
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
  const releases = releasesPath(context.shipit.config.deployTo ?? '')
  const directory = quotePath(transferPath(context.settings, tag))
  const outcomes = await context.fleet.run(
    'undo',
    (server) => ({
      script: all(
        endReceivers(directory),
        `rm -rf ${directory} ${quotePath(`${releases}/.${tag}.partial`)}`,
        unpacked.has(server) ? `rm -rf ${quotePath(`${releases}/${tag}`)}` : 'true',
      ),
    }),
    { servers, totalTimeout: PATIENCE },
  )
  for (const { server, cause } of failuresOf(outcomes, 'undo')) {
    say(context, `${server}: what was half made could not be removed: ${cause}`) // the display has ended
  }
}

/**
 * Ends what unpacks, whose process numbers are in the names of files, and waits: it would go on writing into what is being
 * removed. A number may have passed to another program meanwhile, so its command line is looked at first.
 */
function endReceivers(directory: string): string {
  return [
    `for f in ${directory}/receive-*`,
    `do p="\${f##*-}"; n=0`,
    'c=$({ tr "\\0" " " <"/proc/$p/cmdline" || ps -o args= -p "$p"; } 2>/dev/null)',
    'case "$c" in *murder*receive*) ;; *) continue; esac',
    'kill "$p" 2>/dev/null',
    'while kill -0 "$p" 2>/dev/null && [ "$n" -lt 50 ]; do n=$((n + 1)); sleep 0.1 2>/dev/null || sleep 1; done',
    'kill -9 "$p" 2>/dev/null',
    'done; true',
  ].join('; ')
}
