import { type RunStatus, runsNow } from '../../protocol/run-status.ts'
import type { Failure } from '../../report/failures.ts'
import { columnsOf } from '../../report/output.ts'
import { fittedTable } from '../../text/fitted-table.ts'
import { bytes, duration, nameSome, oneLine, percent, rate } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { localTaskHost } from '../hosts/hosts.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { serverPaths } from '../paths/server-paths.ts'
import { parseStatus, type ServerStatus, statusScript } from '../scripts/status-script.ts'

/** How long a server may take to answer. */
const ANSWER_TIMEOUT_S = 60
const SHOWN_SERVERS = 5

/** `murder:status`: what runs on the deploy host and on every server. Reads only. */
export async function status(context: TaskContext): Promise<void> {
  const { fleet } = context
  const [local, outcomes] = await Promise.all([
    localTaskHost(context)?.status() ?? [],
    fleet.run('status', (server) => ({ script: statusScript(serverPaths(context, server)) }), {
      servers: [...fleet.servers, ...fleet.besides],
      signal: context.signal,
      totalTimeoutS: ANSWER_TIMEOUT_S,
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

/** If a table is too wide, columns with the highest numbers are left out first. */
const SERVICES = [
  { title: 'on', nameAtLeast: 16 },
  { title: 'role' },
  { title: 'state' },
  { title: 'tag', nameAtLeast: 14 },
  { title: 'port', dispensable: 1 },
  { title: 'age', dispensable: 3 },
  { title: 'sent', dispensable: 2 },
  { title: 'peers', dispensable: 4 },
]
const PEERS = [
  { title: 'server', nameAtLeast: 16 },
  { title: 'agent', dispensable: 3 },
  { title: 'current release', nameAtLeast: 14, dispensable: 2 },
  { title: 'peer', textAtLeast: 14 },
  { title: 'has' },
  { title: 'rate', textAtLeast: 20 },
  { title: 'peers', dispensable: 4 },
]

function describe(local: RunStatus[], servers: ServerStatus[], failures: readonly Failure[]): string {
  const width = columnsOf(process.stdout)
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
      : fittedTable([SERVICES.map(({ title }) => title), ...rows], SERVICES, width)
  const peers = [...servers.flatMap(serverRows), ...failures.map(({ server }) => [server, '?', '?', '?'])]
  const below = fittedTable([PEERS.map(({ title }) => title), ...peers], PEERS, width)
  const waiting = [
    ...waitingLines(servers, 'Staged', ({ staged }) => staged),
    ...waitingLines(servers, 'Not confirmed yet, and about to go back:', unconfirmed(false)),
    ...waitingLines(
      servers,
      'Never confirmed, and nobody goes back, as the guard has ended:',
      unconfirmed(true),
    ),
  ]
  return [above, '', below, ...waiting].join('\n')
}

const unconfirmed = (isLost: boolean) => (status: ServerStatus) =>
  status.unconfirmed?.isLost === isLost ? status.unconfirmed.release : null

function waitingLines(
  servers: readonly ServerStatus[],
  what: string,
  releaseOf: (status: ServerStatus) => string | null,
): string[] {
  const releases = servers.flatMap((each) => releaseOf(each) ?? [])
  return [...new Set(releases)].map((release) => {
    const having = servers.filter((each) => releaseOf(each) === release).map(({ server }) => oneLine(server))
    const where = having.length === servers.length ? 'all of them' : nameSome(having, SHOWN_SERVERS)
    return `\n${what} ${oneLine(release)}, on ${where}`
  })
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
