import { posix } from 'node:path'
import { roleProblem } from '../../config/entries/select.ts'
import { ExitCode, MurderError } from '../../errors.ts'
import { signsOfLife } from '../../fleet/signs-of-life.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import type {
  CommandOptions,
  Connection,
  PooledServer,
  ServerPool,
  ServerResult,
  Shipit,
} from '../../shipit.ts'
import { oneLine } from '../../text/format.ts'
import { contextOf, type TaskContext } from '../context/context.ts'
import { noteCommand } from '../context/servers/ssh-pool.ts'
import { failuresOf, fleetError, tellFailures } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { deployToOf } from '../paths/places.ts'
import { userCommandScript } from '../scripts/user-command-script.ts'
import { entryOfServer, valuesOf } from './server-values.ts'

/**
 * `shipit.murder.servers({ role })`: the servers that take part, to run commands with each server's own values. Throws NO_ROLE
 * for a role that no server of the environment has. If only this run has no such server, the pool is empty.
 */
export function serverPool(shipit: Shipit, { role }: { role?: string } = {}): ServerPool {
  const context = contextOf(shipit)
  const [unknown] = role === undefined ? [] : roleProblem(role, entriesOf(shipit), 'shipit.murder.servers()')
  if (unknown !== undefined) throw new MurderError('NO_ROLE', unknown, { exitCode: ExitCode.usage })
  const chosen = context.fleet.servers.filter(
    (server) => role === undefined || entryOfServer(server).roles.includes(role),
  )
  return {
    servers: chosen.map((server) => pooled(shipit, server)),
    connections: chosen.map(({ connection }) => connection as unknown as Connection),
    run: (command, options) => runOn(shipit, chosen, command, options),
  }
}

const entriesOf = ({ config: { servers } }: Shipit): unknown[] =>
  Array.isArray(servers) ? servers : servers === undefined ? [] : [servers]

function pooled(shipit: Shipit, server: Server): PooledServer {
  const { label, host, user, port } = server
  const { roles, site } = entryOfServer(server)
  return { label, host, user, port, roles, site, deployTo: deployToOf(shipit, server) }
}

/** The caller decides what a failure means: it is no failure of the deploy. */
function tellOf(context: Pick<TaskContext, 'display' | 'shipit'>, failures: readonly Failure[]): void {
  if (context.display.mode !== 'json') return tellFailures(context, failures, { said: true })
  for (const failure of failures) say(context, '', 'commandFailed', { ...failure })
}

async function runOn(
  shipit: Shipit,
  servers: readonly Server[],
  command: string,
  { cwd, timeout = 0 }: CommandOptions = {},
): Promise<ServerResult[]> {
  const context = contextOf(shipit)
  const { fleet, signal } = context
  const names = servers.map(({ label }) => label).join(', ')
  shipit.log(`Running "${oneLine(command)}" on ${names || 'no server'}`)
  const script = (server: Server) => {
    const deployTo = deployToOf(shipit, server)
    const within = cwd === undefined ? [posix.join(deployTo, 'current'), deployTo, '~'] : [cwd]
    return userCommandScript(
      { commands: [command], within, env: valuesOf(server, shipit.releaseDirname), timeoutS: timeout },
      { prints: true },
    )
  }
  const options = { servers, signal, totalTimeoutS: timeout }
  const work = fleet.run('command', (server) => ({ script: script(server), stdin: signsOfLife }), options)
  for (const { connection } of servers) noteCommand(connection, command, work)
  const outcomes = await work
  for (const outcome of outcomes) {
    if (!outcome.ok) continue
    const { label } = outcome.server
    for (const line of outcome.stdout.split('\n')) if (line !== '') shipit.log(`@${label} ${oneLine(line)}`)
    for (const line of outcome.stderr.split('\n'))
      if (line !== '') shipit.log(`@${label}-err ${oneLine(line)}`)
  }
  const failures = failuresOf(outcomes, 'command')
  if (failures.length > 0) {
    tellOf(context, failures)
    const consequence = { one: 'ran the command', several: 'ran the command' }
    throw fleetError(failures, consequence, context, { total: servers.length })
  }
  return outcomes.flatMap((outcome) =>
    outcome.ok
      ? [{ server: pooled(shipit, outcome.server), stdout: outcome.stdout, stderr: outcome.stderr }]
      : [],
  )
}
