import { posix } from 'node:path'
import type { AgentEvent } from '../agent/contract.ts'
import { ownAddresses } from '../agent/own-addresses.ts'
import type { RunStatus } from '../agent/run-status.ts'
import { MurderError } from '../errors.ts'
import { parseEvent } from '../remote/events.ts'
import type { Outcome } from '../remote/fleet.ts'
import type { Server } from '../remote/server.ts'
import { command, quotePath } from '../remote/shell.ts'
import { agentError } from './agent-error.ts'
import { ask, check, type FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { fleetError } from './fleet-error.ts'
import { environmentDirectory, environmentName, localRuns } from './local-paths.ts'
import { agentPath } from './paths.ts'
import { seederServer, trackerServer } from './roles.ts'
import { eventsIn, runAgent } from './run-agent.ts'
import { quietly } from './say.ts'
import { uploadAgent } from './upload-agent.ts'

/** Where tracker and seeder of the single steps run, in the background: the deploy host, or a server. */
export interface Station {
  /** What it is called in messages. */
  readonly label: string
  /** Undefined for the deploy host. */
  readonly server: Server | undefined
  /** Where all reach it, if the settings say so. */
  readonly address: string | undefined
  /** The run directory there, and the directory of package and torrent. */
  readonly runs: string
  readonly directory: string
  /** Makes sure that the agent is there; gives what its server said of itself. Throws FLEET_FAILED. */
  prepare(): Promise<FleetFacts>
  /** Runs a command of the agent there; gives what it printed and throws what it failed of. */
  agent(args: readonly string[], signal?: AbortSignal): Promise<string>
  /** What runs there. */
  status(): Promise<RunStatus[]>
}

/** Where the seeder is. */
export const stationOf = (context: Context): Station =>
  stationAt(context, seederServer(context), context.settings.announce)

/** Where the tracker is, when one is started. */
export function trackerStationOf(context: Context): Station {
  const { tracker, announce } = context.settings
  const server = trackerServer(context)
  const address = server === seederServer(context) ? (tracker.address ?? announce) : tracker.address
  return stationAt(context, server, address)
}

/** That of the deploy host, if tracker or seeder is to be there. */
export const stationHere = (context: Context): Station | undefined =>
  [stationOf(context), trackerStationOf(context)].find(({ server }) => server === undefined)

function stationAt(context: Context, server: Server | undefined, address: string | undefined): Station {
  const station = server ? onServer(context, server) : local(context)
  return { ...station, address }
}

function local({ shipit, settings }: Context): Omit<Station, 'address'> {
  const runs = localRuns()
  return {
    label: 'the deploy host',
    server: undefined,
    runs,
    directory: environmentDirectory(shipit.environment),
    prepare: async () => new Map(),
    agent: (args, signal) => runAgent(settings, [...args, '--run-dir', runs], signal),
    status: async () => parseRuns(await runAgent(settings, ['status', '--json', '--run-dir', runs])),
  }
}

function onServer(context: Context, server: Server): Omit<Station, 'address'> {
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
      return facts
    },
    async agent(args, signal) {
      const lines: string[] = []
      const onLine = (line: string) => {
        const event = parseEvent(line)
        if (event?.event === 'failed') throw agentError(event, settings)
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

/** Prepares each place once, and gives what they said of themselves. */
export async function prepareAll(...stations: Station[]): Promise<FleetFacts> {
  const places = new Map(stations.map((station) => [station.server, station]))
  const found = await Promise.all([...places.values()].map((station) => station.prepare()))
  return new Map(found.flatMap((facts) => [...facts]))
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

/** Address at which a server, or the deploy host, reaches the station: each as it sees it. Throws NO_ADDRESS. */
export function hostsOf(
  { address, server: there }: Pick<Station, 'address' | 'server'>,
  facts: FleetFacts,
): (server: Server | undefined) => string {
  if (there) {
    const host = address ?? facts.get(there)?.serverAddress ?? there.host
    return (server) => (server === there ? '127.0.0.1' : host)
  }
  return (server) => {
    if (server === undefined) return '127.0.0.1'
    const host = address ?? facts.get(server)?.clientAddress
    if (host !== undefined) return host
    throw new MurderError('NO_ADDRESS', `${server.label} does not say from where it is reached`, {
      cure: 'set murder.announce to the address of the deploy host',
    })
  }
}

/** The one address to show: that which most servers use, else one of this machine's own. */
export function shownHost(station: Station, facts: FleetFacts): string {
  if (station.address !== undefined) return station.address
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
