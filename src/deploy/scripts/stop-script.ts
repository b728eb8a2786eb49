import { quote, quotePath } from '../../text/shell-quote.ts'
import type { ServerPaths } from '../paths/server-paths.ts'
import { setNode } from './node/find-node-script.ts'
import { ANY_AGENT } from './shell-functions.ts'

/**
 * Ends the peers of one transfer, or of all. A directory counts as a transfer's only if its run folder has the same name. The
 * agent recognizes a pid that was used again. Without an agent the folder is removed, which also ends the process. `prefill` is
 * of an earlier version.
 */
export function stopScript(paths: ServerPaths, tag: string | undefined): string {
  return `
t=${quotePath(paths.temporaryPath)}; p=${quotePath(paths.remotePath)}; a=${quotePath(paths.agent)}
${ANY_AGENT}
${setNode(paths.node, paths.remotePath)}
for r in "$t"/${tag === undefined ? '*' : quote(tag)}/peer-*; do
  d=\${r%/*}
  if [ ! -f "$r/state.json" ] || [ "\${r##*/}" != "peer-\${d##*/}" ]; then continue; fi
  if [ -f "$a" ]; then "$node" "$a" stop --all --run-dir "$d" || exit 1; fi
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
