import type { Server } from '../../fleet/ssh/server.ts'
import type { TaskContext } from '../context/context.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { serverPaths } from '../paths/server-paths.ts'
import { parseStopped, stopScript } from '../scripts/stop-script.ts'

/** How long a server may take to end its peers. */
const STOP_TIMEOUT_S = 60

/**
 * `murder:stop_peering`, `murder:stop_all_peering`: ends the peers of one tag, or all, on all servers and removes what
 * they were sharing.
 */
export async function stopPeering(context: TaskContext, tag?: string): Promise<void> {
  const stop = (server: Server) => ({ script: stopScript(serverPaths(context, server), tag) })
  const outcomes = await context.fleet.run('stop', stop, { totalTimeoutS: STOP_TIMEOUT_S })
  const stopped = outcomes.flatMap((outcome) =>
    outcome.ok ? parseStopped(outcome.stdout).map((run) => ({ server: outcome.server.label, ...run })) : [],
  )
  const text =
    stopped.length === 0
      ? 'No peer runs on any server'
      : stopped.map(({ server, tag, pid }) => `${server}: stopped the peer of ${tag} (pid ${pid})`).join('\n')
  const failures = failuresOf(outcomes, 'stop')
  if (failures.length < outcomes.length) {
    say(context, text, 'stopped', { role: 'peer', wasRunning: stopped.length > 0, peers: stopped })
  }
  assertNoFailures(context, failures, 'what runs there ends by itself when it has lingered')
}
