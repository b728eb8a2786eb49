import { command, quote, quotePath } from '../../text/shell-quote.ts'
/**
 * Only what is certainly a transfer's is touched: its run folder bears the directory's own name. The agent tells a
 * process from a later one of the same pid; without an agent the folder is removed, which ends its process too.
 */
export function stopScript(o: {
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
