import type { Server } from '../../fleet/ssh/server.ts'
import { parseRuns, type RunStatus } from '../../protocol/run-status.ts'
import { quotePath } from '../../text/shell-quote.ts'
import type { ServerPaths } from '../paths/server-paths.ts'
import { parseUnconfirmed, tellGuardScript, type Unconfirmed } from './guard/tell-guard-script.ts'
import { findNode } from './node/find-node-script.ts'
import { STAGED } from './releases/staged-script.ts'
import { ANY_AGENT, SAY, STARTED, STILL_RUNS } from './shell-functions.ts'
import { parseValues } from './values.ts'

/** Tells of Node, agent and current release, and prints the runs of tracker, seeder and peers as the agent gives them. */
export function statusScript({ deployTo, remotePath, temporaryPath, agent, node }: ServerPaths): string {
  return `d=${quotePath(deployTo)}; p=${quotePath(remotePath)}; t=${quotePath(temporaryPath)}; a=${quotePath(agent)}
${SAY}
${STARTED}
${STILL_RUNS}
${findNode(node, remotePath)}
say node "$version"
[ -z "$version" ] || say nodePath "$node"
if [ -L "$d/current" ]; then say current "$(basename "$(readlink "$d/current")")"; fi
${STAGED}
say staged "$(staged "$d")"
(${tellGuardScript(remotePath)})
if [ -f "$a" ]; then say agent yes; fi
${ANY_AGENT}
[ -f "$a" ] || exit 0
for x in "$p/run" "$t"/* "$t"/*/seeder; do
  for r in "$x"/tracker-* "$x"/seeder-* "$x"/peer-*; do
    if [ -f "$r/state.json" ]; then "$node" "$a" status --json --run-dir "$x"; break; fi
  done
done
true`
}

export function parseStatus({ label }: Pick<Server, 'label'>, output: string): ServerStatus {
  const values = parseValues(output)
  return {
    server: label,
    node: values.get('node') || null,
    nodePath: values.get('nodePath') || null,
    agent: values.get('agent') === 'yes',
    current: values.get('current') || null,
    staged: values.get('staged') || null,
    unconfirmed: parseUnconfirmed(output) ?? null,
    runs: output.split('\n').flatMap(parseRuns),
  }
}

export interface ServerStatus {
  server: string
  node: string | null
  /** How to run it: a path, or a name on the PATH. */
  nodePath: string | null
  agent: boolean
  current: string | null
  /** The release that waits to be published. */
  staged: string | null
  /** The release that a guard takes back unless it is confirmed. */
  unconfirmed: Unconfirmed | null
  runs: RunStatus[]
}
