import { command, quote, quotePath } from '../remote/shell.ts'
import type { Context } from './context.ts'
import { failuresOf, fleetError } from './fleet-error.ts'
import { agentPath } from './paths.ts'
import { say } from './say.ts'

/** Seconds that a server may take to end its peers. */
const PATIENCE = 60

/**
 * `murder:stop_peering`, `murder:stop_all_peering`: ends the peers of one tag, or all, on all servers and removes what
 * they were sharing.
 */
export async function stopPeering(context: Context, tag?: string): Promise<void> {
  const { fleet, settings } = context
  const { temporaryPath, node, remotePath } = settings
  const script = stopScript({ temporaryPath, node, remotePath, agent: agentPath(settings), tag })
  const outcomes = await fleet.run('stop', () => ({ script }), { totalTimeout: PATIENCE })
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
  if (failures.length > 0) {
    throw fleetError(context, failures, 'what runs there ends by itself when it has lingered')
  }
}

/**
 * Only what is certainly a transfer's is touched: its run folder bears the directory's own name. The agent tells a
 * process from a later one of the same pid; without an agent the folder is removed, which ends its process too.
 */
function stopScript(o: {
  temporaryPath: string
  node: string
  agent: string
  remotePath: string
  tag: string | undefined
}): string {
  return `
t=${quotePath(o.temporaryPath)}; p=${quotePath(o.remotePath)}; a=${quotePath(o.agent)}
if [ ! -f "$a" ]; then for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi
for r in "$t"/${o.tag === undefined ? '*' : quote(o.tag)}/peer-*; do
  d=\${r%/*}
  if [ ! -f "$r/state.json" ] || [ "\${r##*/}" != "peer-\${d##*/}" ]; then continue; fi
  if [ -f "$a" ]; then ${command(o.node)} "$a" stop --all --run-dir "$d" || exit 1; fi
  rm -rf "$r"
  rm -f "$d/package" "$d/prefill" "$d/unpacked.json"
  rmdir "$d" 2>/dev/null
done
true`
}

/** The lines of `murder stop`. */
export function parseStopped(output: string): { tag: string; pid: number }[] {
  return [...output.matchAll(/^Stopped the peer (\S+) \(pid (\d+)\)$/gm)].map(([, tag = '', pid]) => ({
    tag,
    pid: Number(pid),
  }))
}
