import { type RunStatus, runsNow } from '../../protocol/run-status.ts'
import type { Failure } from '../../report/failures.ts'
import { bytes, duration, percent, rate } from '../../text/format.ts'
import { table } from '../../text/table.ts'
import type { Context } from '../context/context.ts'
import { serverPaths } from '../context/server-paths.ts'
import { localTaskHost } from '../hosts/hosts.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { parseStatus, type ServerStatus, statusScript } from '../scripts/status-script.ts'

/** How long a server may take to answer. */
const ANSWER_TIMEOUT_S = 60

/** `murder:status`: what runs on the deploy host and on every server. Reads only. */
export async function status(context: Context): Promise<void> {
  const { fleet } = context
  const script = statusScript(serverPaths(context))
  const [local, outcomes] = await Promise.all([
    localTaskHost(context)?.status() ?? [],
    fleet.run('status', () => ({ script }), {
      servers: [...fleet.servers, ...fleet.besides],
      signal: context.signal,
      totalTimeout: ANSWER_TIMEOUT_S,
    }),
  ])
  context.signal.throwIfAborted()
  const servers = outcomes.flatMap((outcome) =>
    outcome.ok ? [parseStatus(outcome.server, outcome.stdout)] : [],
  )
  const failures = failuresOf(outcomes, 'status')
  if (context.display.mode === 'json') {
    say(context, '', 'status', { host: 'deploy host', runs: local })
    for (const found of servers) say(context, '', 'status', { ...found })
  } else say(context, describe(local, servers, failures))
  assertNoFailures(context, failures, 'nothing is known of them')
}

function describe(local: RunStatus[], servers: ServerStatus[], failures: readonly Failure[]): string {
  const services = [
    ...local.map((run) => ({ where: 'deploy host', run })),
    ...servers.flatMap(({ server, runs }) =>
      runs.filter(({ role }) => role !== 'peer').map((run) => ({ where: server, run })),
    ),
  ]
  const rows = services.map(({ where, run }) => [
    where,
    run.role,
    run.state,
    run.role === 'seeder' ? run.tag : '-',
    String(run.port ?? '-'),
    duration(run.age),
    run.role === 'seeder' ? bytes(run.sent ?? 0) : '-',
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
    `${run.tag} ${run.state}`,
    percent(run.bytes ?? 0, run.total ?? 0),
    ...(runsNow(run) ? [rate(run.down ?? 0), String(run.peers ?? 0)] : [run.failure ?? '']),
  ])
}
