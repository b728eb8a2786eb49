import { posix } from 'node:path'
import type { Settings } from '../../config/schema.ts'
import { findServers, isServer } from '../../config/servers.ts'
import { ExitCode, MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { eventsIn, parseEvent } from '../../protocol/events.ts'
import { parseRuns, type RunStatus } from '../../protocol/run-status.ts'
import { ownAddresses } from '../../system/addresses.ts'
import { defined } from '../../system/defined.ts'
import { command, quotePath } from '../../text/shell-quote.ts'
import { announceUrl } from '../../torrent/tracker/announce-url.ts'
import { agentPath } from '../context/agent-program.ts'
import { outsiders } from '../context/connections.ts'
import type { Context } from '../context/context.ts'
import { environmentDirectory, environmentName, localRuns } from '../context/local-paths.ts'
import { assertNoFailures } from '../outcome/fleet-error.ts'
import { quietly } from '../outcome/say.ts'
import { ask } from '../preflight/ask.ts'
import { check, type FleetFacts } from '../preflight/preflight.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { agentError } from './agent-error.ts'
import { runAgent } from './local-command.ts'
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
      assertNoFailures(context, failures, 'nothing was started')
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
      await fleet.one(
        server,
        'seed',
        { script: words(args), onLine },
        { stallTimeout, ...defined({ signal }) },
      )
      return lines.join('\n')
    },
    async status() {
      // Without the agent nothing of it can run, unless an older one does: its run directory reads the same.
      const script = [
        `p=${quotePath(settings.remotePath)}; a=${quotePath(agentPath(settings))}`,
        'if [ ! -f "$a" ]; then for x in "$p"/murder-*.mjs; do [ -f "$x" ] && a=$x; done; fi',
        `if [ -f "$a" ]; then ${command(settings.node)} "$a" status --json --run-dir ${quotePath(runs)}; else echo "[]"; fi`,
      ].join('; ')
      return parseRuns(await fleet.one(server, 'seed', { script }, { totalTimeout: 60 }))
    },
  }
}

/** Prepares each place once, and gives what they said of themselves. */
export async function prepareAll(...stations: Station[]): Promise<FleetFacts> {
  const places = new Map(stations.map((station) => [station.server, station]))
  const found = await Promise.all([...places.values()].map((station) => station.prepare()))
  return new Map(found.flatMap((facts) => [...facts]))
}

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
function shownHost(station: Station, facts: FleetFacts): string {
  if (station.address !== undefined) return station.address
  if (station.server) return facts.get(station.server)?.serverAddress ?? station.server.host
  const counts = new Map<string, number>()
  for (const { clientAddress } of facts.values()) {
    if (clientAddress !== undefined) counts.set(clientAddress, (counts.get(clientAddress) ?? 0) + 1)
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1])
  return most?.[0] ?? ownAddresses()[0] ?? '127.0.0.1'
}

/** Whether the deploy or the single steps start a tracker of their own. */
export const hasOwnTracker = ({ tracker }: Settings): boolean =>
  tracker.at !== 'none' && externalTracker(tracker) === undefined

/** The announce URL of a tracker that somebody else runs. */
export const externalTracker = ({ at }: Settings['tracker']): string | undefined =>
  /^https?:/.test(at) ? at : undefined

/** The announce URLs that the seeder uses. */
export function seederTrackers(
  context: Context,
  { secret }: Pick<Transfer, 'secret'>,
  facts: FleetFacts,
): string[] {
  const { tracker } = context.settings
  const elsewhere = externalTracker(tracker)
  if (elsewhere !== undefined) return [elsewhere]
  if (tracker.at === 'none') return []
  const [seeder, there] = [seederServer(context), trackerServer(context)]
  const host = seeder === there ? '127.0.0.1' : hostsOf(trackerStationOf(context), facts)(seeder)
  return [announceUrl(host, tracker.port, secret !== undefined)]
}

/** Addresses of all machines of the fleet; undefined when those of one are not known. */
export function fleetHosts(facts: FleetFacts): string[] | undefined {
  const all = [...facts.values()]
  if (all.length > MOST_HOSTS || all.some(({ serverAddress }) => serverAddress === undefined))
    return undefined
  return [...new Set(all.flatMap(({ serverAddress = '', addresses }) => [serverAddress, ...addresses]))]
}

/** With more servers than this the list would cost more than it is good for. */
const MOST_HOSTS = 4096

/** The one announce URL to show; undefined when there is no tracker. */
export function shownTracker(
  context: Context,
  port: number | undefined,
  facts: FleetFacts,
): string | undefined {
  const { tracker, allowStrangers } = context.settings
  if (port === undefined) return externalTracker(tracker)
  return announceUrl(shownHost(trackerStationOf(context), facts), port, !allowStrangers)
}

/** The server that seeds, undefined for the deploy host. Throws NO_SERVER. */
export const seederServer = (context: Context): Server | undefined =>
  serverOf(context, context.settings.seeder)

/** The server that runs the tracker, where one is started at all; undefined for the deploy host. Throws NO_SERVER. */
export function trackerServer(context: Context): Server | undefined {
  const { at } = context.settings.tracker
  return at === 'seeder' ? seederServer(context) : isServer(at) ? serverOf(context, at) : undefined
}

function serverOf({ settings, named, fleet }: Context, name: string): Server | undefined {
  if (name === 'local') return undefined
  const [index] = findServers(name, named)
  const server =
    index === undefined ? fleet.besides[outsiders(settings, named).indexOf(name)] : fleet.at(index)
  if (server) return server
  throw new MurderError('NO_SERVER', `${name} is no server`, { exitCode: ExitCode.usage })
}
