import { posix } from 'node:path'
import type { AgentEvent } from '../agent/contract.ts'
import { ownAddresses } from '../agent/own-addresses.ts'
import type { RunStatus } from '../agent/run-status.ts'
import { seederIndex } from '../config/index.ts'
import { ExitCode, MurderError } from '../errors.ts'
import { parseEvent } from '../remote/events.ts'
import type { Outcome } from '../remote/fleet.ts'
import type { Server } from '../remote/server.ts'
import { command, quotePath } from '../remote/shell.ts'
import { ask, check, type FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { fleetError } from './fleet-error.ts'
import { environmentDirectory, environmentName, localRuns } from './local-paths.ts'
import { agentPath } from './paths.ts'
import { eventsIn, failedError, runAgent } from './run-agent.ts'
import { quietly } from './say.ts'
import { uploadAgent } from './upload-agent.ts'

/** Where tracker and seeder of the single steps run, in the background: the deploy host, or a server. */
export interface Station {
  /** What it is called in messages. */
  readonly label: string
  /** Undefined for the deploy host. */
  readonly server: Server | undefined
  /** The run directory there, and the directory of package and torrent. */
  readonly runs: string
  readonly directory: string
  /** Makes sure that the agent is there. Throws FLEET_FAILED. */
  prepare(): Promise<void>
  /** Runs a command of the agent there; gives what it printed and throws what it failed of. */
  agent(args: readonly string[], signal?: AbortSignal): Promise<string>
  /** What runs there. */
  status(): Promise<RunStatus[]>
}

/** The server that `seeder` names, undefined for the deploy host. Throws NO_SEEDER. */
export function seederServer({ settings, named, fleet }: Context): Server | undefined {
  const index = seederIndex(settings.seeder, named)
  if (settings.seeder === 'local') return undefined
  const server = index === undefined ? undefined : fleet.at(index)
  if (server) return server
  throw new MurderError('NO_SEEDER', `murder.seeder names no server: ${settings.seeder}`, {
    exitCode: ExitCode.usage,
  })
}

export function stationOf(context: Context): Station {
  const server = seederServer(context)
  return server ? onServer(context, server) : local(context)
}

function local({ shipit }: Context): Station {
  const runs = localRuns()
  return {
    label: 'the deploy host',
    server: undefined,
    runs,
    directory: environmentDirectory(shipit.environment),
    prepare: async () => {},
    agent: (args, signal) => runAgent([...args, '--run-dir', runs], signal),
    status: async () => parseRuns(await runAgent(['status', '--json', '--run-dir', runs])),
  }
}

function onServer(context: Context, server: Server): Station {
  const { fleet, settings, shipit } = context
  const runs = posix.join(settings.remotePath, 'run')
  const words = (args: readonly string[]) =>
    command(settings.node, agentPath(settings), ...args, '--run-dir', runs)
  return {
    label: server.label,
    server,
    runs,
    directory: posix.join(settings.remotePath, 'seed', environmentName(shipit.environment)),
    async prepare() {
      const facts = await check(context, ask(context, [server]))
      const failures = await uploadAgent(quietly(context), facts, [server])
      if (failures.length > 0) throw fleetError(context, failures, 'nothing was started')
    },
    async agent(args, signal) {
      const lines: string[] = []
      const onLine = (line: string) => {
        const event = parseEvent(line)
        if (event?.event === 'failed') throw failedError(event)
        lines.push(line)
      }
      const stallTimeout = settings.timeouts.stall > 0 ? settings.timeouts.stall + 15 : 0
      const options = { servers: [server], stallTimeout, ...(signal ? { signal } : {}) }
      must(await fleet.run('seed', () => ({ script: words(args), onLine }), options))
      return lines.join('\n')
    },
    async status() {
      // Without the agent nothing of it can run, unless an older one does: its run directory reads the same.
      const script = [
        `p=${quotePath(settings.remotePath)}; a=${quotePath(agentPath(settings))}`,
        'if [ ! -f "$a" ]; then for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi',
        `if [ -f "$a" ]; then ${command(settings.node)} "$a" status --json --run-dir ${quotePath(runs)}; else echo "[]"; fi`,
      ].join('; ')
      const outcomes = await fleet.run('seed', () => ({ script }), { servers: [server], totalTimeout: 60 })
      must(outcomes)
      return outcomes.flatMap((outcome) => (outcome.ok ? parseRuns(outcome.stdout) : []))
    },
  }
}

/** The array that `murder status --json` printed. */
export function parseRuns(text: string): RunStatus[] {
  for (const line of text.split('\n')) {
    if (!line.startsWith('[')) continue
    try {
      return JSON.parse(line) as RunStatus[]
    } catch {
      // Not JSON after all: a line of somebody else's.
    }
  }
  return []
}

export const runsNow = ({ state }: RunStatus): boolean =>
  state === 'starting' || state === 'running' || state === 'lingering'

/** Starts a tracker or a seeder in the background and waits until it listens. */
export async function startAt(
  station: Station,
  args: readonly string[],
  signal: AbortSignal,
): Promise<AgentEvent & { event: 'listening' }> {
  const printed = await station.agent([...args, '--json'], signal)
  for (const event of eventsIn(printed)) if (event.event === 'listening') return event
  throw new MurderError('AGENT_ENDED', `${station.label}: the ${args[0]} did not say where it listens`)
}

/** Address at which a server reaches the station: each as it sees it. Throws NO_ADDRESS. */
export function hostsOf(context: Context, station: Station, facts: FleetFacts): (server: Server) => string {
  const { announce } = context.settings
  const { server: seeder } = station
  if (seeder) {
    const host = announce ?? facts.get(seeder)?.serverAddress ?? seeder.host
    return (server) => (server === seeder ? '127.0.0.1' : host)
  }
  return (server) => {
    const host = announce ?? facts.get(server)?.clientAddress
    if (host !== undefined) return host
    throw new MurderError('NO_ADDRESS', `${server.label} does not say from where it is reached`, {
      cure: 'set murder.announce to the address of the deploy host',
    })
  }
}

/** The one address to show: that which most servers use, else one of this machine's own. */
export function shownHost(context: Context, station: Station, facts: FleetFacts): string {
  const { announce, tracker } = context.settings
  const configured = tracker.address ?? announce
  if (configured !== undefined) return configured
  if (station.server) return facts.get(station.server)?.serverAddress ?? station.server.host
  const counts = new Map<string, number>()
  for (const { clientAddress } of facts.values()) {
    if (clientAddress !== undefined) counts.set(clientAddress, (counts.get(clientAddress) ?? 0) + 1)
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1])
  return most?.[0] ?? ownAddresses()[0] ?? '127.0.0.1'
}

function must(outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
}
