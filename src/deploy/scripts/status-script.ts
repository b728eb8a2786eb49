import type { Server } from '../../fleet/ssh/server.ts'
import { parseRuns, type RunStatus } from '../../protocol/run-status.ts'
import { command, quotePath } from '../../text/shell-quote.ts'
import { agentPath } from '../context/agent-program.ts'
import type { Context } from '../context/context.ts'
export function statusScript({ shipit, settings }: Context): string {
  const { deployTo = '' } = shipit.config
  const { remotePath, temporaryPath, node } = settings
  return [
    `d=${quotePath(deployTo)}; p=${quotePath(remotePath)}; t=${quotePath(temporaryPath)}; a=${quotePath(agentPath(settings))}`,
    `printf 'node=%s\\n' "$(${command(node)} --version 2>/dev/null)"`,
    'if [ -L "$d/current" ]; then printf "current=%s\\n" "$(basename "$(readlink "$d/current")")"; fi',
    'if [ -f "$a" ]; then echo agent=yes; else for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi',
    'if [ -f "$a" ]; then for x in "$p/run" "$t"/* "$t"/*/seeder; do for r in "$x"/tracker-* "$x"/seeder-* "$x"/peer-*; do if [ -f "$r/state.json" ]; then ' +
      `${command(node)} "$a" status --json --run-dir "$x"; break; fi; done; done; fi; true`,
  ].join('; ')
}

export function parseStatus({ label }: Pick<Server, 'label'>, output: string): ServerStatus {
  const lines = output.split('\n')
  const value = (key: string) =>
    lines
      .find((line) => line.startsWith(`${key}=`))
      ?.slice(key.length + 1)
      .trim() || null
  return {
    server: label,
    node: value('node'),
    agent: value('agent') === 'yes',
    current: value('current'),
    runs: lines.flatMap(parseRuns),
  }
}

export interface ServerStatus {
  server: string
  node: string | null
  agent: boolean
  current: string | null
  runs: RunStatus[]
}
