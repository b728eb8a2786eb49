import { posix } from 'node:path'
import { command, quotePath } from '../../text/shell-quote.ts'

/** Prints a file in base64. */
export const printScript = (path: string): string => `base64 < ${quotePath(path)}`

/** Says what is in a run directory. Without the agent nothing runs, unless an older agent does: it reads the same directory. */
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

/** Removes a directory, and the one around it when that is then empty. */
export function clearScript(directory: string): string {
  const around = posix.dirname(directory)
  return `${command('rm', '-rf', directory)}; rmdir ${quotePath(around)} 2>/dev/null; true`
}
