import type { RunStatus } from '../agent/run-status.ts'
import type { Server } from '../remote/server.ts'
import { command, quotePath } from '../remote/shell.ts'
import { percent } from '../report/format.ts'
import { bytes, duration, type Failure, rate, table } from '../report/index.ts'
import type { Context } from './context.ts'
import { failuresOf, fleetError } from './fleet-error.ts'
import { agentPath } from './paths.ts'
import { say } from './say.ts'
import { parseRuns, runsNow, stationHere } from './station.ts'

/** Seconds that a server may take to tell. */
const PATIENCE = 60

interface ServerStatus {
  server: string
  node: string | null
  agent: boolean
  current: string | null
  runs: RunStatus[]
}

/** `murder:status`: what runs on the deploy host and on every server. Reads only. */
export async function status(context: Context): Promise<void> {
  const { fleet } = context
  const script = statusScript(context)
  const [local, outcomes] = await Promise.all([
    stationHere(context)?.status() ?? [],
    fleet.run('status', () => ({ script }), {
      servers: [...fleet.servers, ...fleet.besides],
      signal: context.signal,
      totalTimeout: PATIENCE,
    }),
  ])
  context.signal.throwIfAborted()
  const servers = outcomes.flatMap((outcome) =>
    outcome.ok ? [parseStatus(outcome.server, outcome.stdout)] : [],
  )
  const failures = failuresOf(outcomes, 'status')
  if (context.mode === 'json') {
    say(context, '', 'status', { host: 'deploy host', runs: local })
    for (const found of servers) say(context, '', 'status', { ...found })
  } else say(context, describe(local, servers, failures))
  if (failures.length > 0) throw fleetError(context, failures, 'nothing is known of them')
}

function statusScript({ shipit, settings }: Context): string {
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

function describe(local: RunStatus[], servers: ServerStatus[], failures: readonly Failure[]): string {
  const services = [
    ...local.map((run) => ({ where: 'deploy host', run })),
    ...servers.flatMap(({ server, runs }) =>
      runs.filter(({ role }) => role !== 'peer').map((run) => ({ where: server, run })),
    ),
  ]
  const rows = services.map(({ where, run }) => [
    ...[where, run.role, run.state, run.role === 'seeder' ? run.tag : '-', String(run.port ?? '-')],
    ...[duration(run.age), run.role === 'seeder' ? bytes(run.sent ?? 0) : '-'],
    run.role === 'seeder' ? String(run.peers ?? 0) : '-',
  ])
  const above =
    rows.length === 0
      ? 'No tracker or seeder runs'
      : table([['on', 'role', 'state', 'tag', 'port', 'age', 'sent', 'peers'], ...rows])
  const below = table([
    ['server', 'agent', 'current release', 'peer', 'has', 'rate', 'peers'],
    ...servers.flatMap(serverRows),
    ...failures.map(({ server }) => [server, '?', '?', '?']),
  ])
  return `${above}\n\n${below}`
}

function serverRows({ server, agent, current, runs }: ServerStatus): string[][] {
  const peers = runs.filter(({ role }) => role === 'peer')
  const head = [server, agent ? 'yes' : 'no', current ?? 'none']
  if (peers.length === 0) return [[...head, 'none']]
  return peers.map((run, index) => [
    ...(index === 0 ? head : ['', '', '']),
    ...[`${run.tag} ${run.state}`, percent(run.bytes ?? 0, run.total ?? 0)],
    ...(runsNow(run) ? [rate(run.down ?? 0), String(run.peers ?? 0)] : [run.failure ?? '']),
  ])
}
