import { posix } from 'node:path'
import { command, quotePath } from '../../text/shell-quote.ts'

/** Prints a file in base64. */
export const printScript = (path: string): string => `base64 < ${quotePath(path)}`

/**
 * Lists a run directory. Without this version of the agent it uses an older one, which reads the same directory. Without any
 * agent nothing runs.
 */
export function runsScript(paths: {
  remotePath: string
  setNode: string
  agent: string
  runs: string
}): string {
  const { remotePath, setNode, agent, runs } = paths
  return [
    `p=${quotePath(remotePath)}; a=${quotePath(agent)}`,
    'if [ ! -f "$a" ]; then for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi',
    `if [ -f "$a" ]; then\n${setNode}\n"$node" "$a" status --json --run-dir ${quotePath(runs)}; else echo "[]"; fi`,
  ].join('; ')
}

/** Removes a directory, and its parent if that is then empty. */
export function clearScript(directory: string): string {
  const around = posix.dirname(directory)
  return `${command('rm', '-rf', directory)}; rmdir ${quotePath(around)} 2>/dev/null; true`
}
