import { posix } from 'node:path'
import { quotePath } from '../../../text/shell-quote.ts'
import { recordPath, releasesPath, type ServerPaths } from '../../paths/server-paths.ts'
import { checkReleaseName } from '../../releases/choose/check-release-name.ts'
import { setNode } from '../node/find-node-script.ts'
import { SAY } from '../shell-functions.ts'
import { parseValues } from '../values.ts'

export interface Intact {
  state: 'compared' | 'no-note' | 'no-agent'
  /** Files that differ from what was delivered. */
  changed: string | undefined
}

/** Compares a release with the agent's note of its delivery. */
export function intactScript(paths: ServerPaths, release: string): string {
  const { deployTo, agent, node, remotePath } = paths
  const path = posix.join(releasesPath(deployTo), checkReleaseName(release))
  return `${SAY}
${setNode(node, remotePath)}
a=${quotePath(agent)}; n=${quotePath(recordPath(deployTo, release))}
if [ ! -f "$n" ]; then say state no-note; exit 0; fi
if [ ! -f "$a" ]; then say state no-agent; exit 0; fi
say state compared
exec "$node" "$a" intact "$n" ${quotePath(path)}`
}

export function parseIntact(output: string): Intact {
  const values = parseValues(output)
  const state = values.get('state')
  return {
    state: state === 'no-note' || state === 'no-agent' ? state : 'compared',
    changed: values.get('changed') || undefined,
  }
}
