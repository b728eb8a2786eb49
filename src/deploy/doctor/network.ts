import type { AddressInfo, Server as NetServer } from 'node:net'
import type { Settings } from '../../config/schema.ts'
import type { Outcome } from '../../fleet/fleet.ts'
import { PersistentShell } from '../../fleet/persistent-shell.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { endpointOf } from '../../system/addresses.ts'
import { listen } from '../../torrent/peers/listen.ts'
import type { Context } from '../context/context.ts'
import {
  externalTracker,
  hasOwnTracker,
  hostsOf,
  type Station,
  stationOf,
  trackerStationOf,
} from '../hosts/placement.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import {
  connectScript,
  listenScript,
  parseReached,
  type Reached,
  type Target,
} from '../scripts/probe-script.ts'
import { parseValues } from '../scripts/values.ts'
import type { Problem } from './problem.ts'

/** Seconds that a probe may take. */
const PATIENCE = 20
/** Each server tries this many others; a small fleet all of them. */
const MOST_TARGETS = 12

interface Aim {
  name: string
  port: 'tracker' | 'external tracker' | 'seeder' | 'peer'
  target: Target
}

/**
 * Whether every server reaches tracker, seeder and other servers on their ports. `isBusy`: a deploy runs meanwhile, and its
 * tracker has the port.
 */
export async function probeNetwork(context: Context, facts: FleetFacts, isBusy: boolean): Promise<Problem[]> {
  const problems: Problem[] = []
  const holds: PersistentShell[] = []
  const here: NetServer[] = []
  try {
    const peers = await listenEverywhere(context, [...facts.keys()], holds, problems)
    const station = await listenAtStations(context, { peers, isBusy }, here, holds, problems)
    const aims = (server: Server): Aim[] => [
      ...station(server, facts),
      ...atExternalTracker(context.settings),
      ...others(context, server, peers, facts),
    ]
    problems.push(...(await connectAll(context, [...facts.keys()], aims)))
  } finally {
    for (const listening of here) listening.close()
    await Promise.all(holds.map((hold) => hold.close()))
  }
  return problems
}

/** A listener on each server's first free peer port. Gives the ports. */
async function listenEverywhere(
  { fleet, settings, signal }: Context,
  servers: readonly Server[],
  holds: PersistentShell[],
  problems: Problem[],
): Promise<Map<Server, number>> {
  const ports = new Map<Server, number>()
  const script = listenScript(settings.node, settings.ports)
  await Promise.all(
    servers.map(async (server) => {
      const hold = new PersistentShell(fleet, server, {
        step: 'network',
        script,
        answerTimeout: PATIENCE,
        signal,
      })
      holds.push(hold)
      const port = portIn(await hold.said)
      if (port !== undefined) ports.set(server, port)
      else {
        problems.push({
          server: server.label,
          check: 'peer port',
          cause: `no port from ${settings.ports.join(' to ')} is free`,
          cure: 'set murder.ports to a range with free ports',
        })
      }
    }),
  )
  return ports
}

function portIn(outcome: Outcome): number | undefined {
  const port = outcome.ok ? Number(parseValues(outcome.stdout).get('port')) : 0
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

/** Listeners where tracker and seeder will be. Gives what a server has to reach there. */
async function listenAtStations(
  context: Context,
  { peers, isBusy }: { peers: ReadonlyMap<Server, number>; isBusy: boolean },
  here: NetServer[],
  holds: PersistentShell[],
  problems: Problem[],
): Promise<(server: Server, facts: FleetFacts) => Aim[]> {
  const { settings } = context
  const { port } = settings.tracker
  const listenAt = async ({ server }: Station, first: number, last: number) => {
    if (!server) return listenHere(here, first, last)
    const hold = new PersistentShell(context.fleet, server, {
      ...{ step: 'network', script: listenScript(settings.node, [first, last]) },
      ...{ answerTimeout: PATIENCE, signal: context.signal },
    })
    holds.push(hold)
    return portIn(await hold.said)
  }
  const [atTracker, atSeeder] = [trackerStationOf(context), stationOf(context)]
  const own = hasOwnTracker(settings)
  const tracker = own ? await listenAt(atTracker, port, port) : undefined
  const known = atSeeder.server && peers.get(atSeeder.server)
  const seeder = known ?? (await listenAt(atSeeder, ...settings.ports))
  if (own && tracker === undefined) {
    problems.push({
      server: atTracker.label,
      check: 'tracker port',
      ...(isBusy
        ? {
            cause: `port ${port} is taken while a deploy runs: it was not tried`,
            cure: 'run murder:doctor again when the deploy is done',
          }
        : {
            cause: `port ${port} is taken by another program`,
            cure: 'stop it, or set murder.tracker.port to another port',
          }),
    })
  }
  return (server, facts) => [
    ...aimAt('tracker', atTracker, tracker, server, facts),
    ...aimAt('seeder', atSeeder, seeder, server, facts),
  ]
}

/** None where the server is there itself, or does not know from where it is reached: that is said by itself. */
function aimAt(
  name: Aim['port'],
  station: Station,
  port: number | undefined,
  server: Server,
  facts: FleetFacts,
): Aim[] {
  if (port === undefined || station.server === server) return []
  if (!station.server && !station.address && !facts.get(server)?.clientAddress) return []
  return [aim(station.label, name, hostsOf(station, facts)(server), port)]
}

/** A tracker that runs already is given by its announce URL. */
function atExternalTracker({ tracker }: Settings): Aim[] {
  const url = externalTracker(tracker)
  if (url === undefined) return []
  const { host, port } = endpointOf(url)
  return [aim(new URL(url).hostname, 'external tracker', host, port)]
}

const aim = (name: string, port: Aim['port'], host: string, number: number): Aim => ({
  ...{ name, port, target: [host, number] },
})

async function listenHere(here: NetServer[], first: number, last: number): Promise<number | undefined> {
  try {
    const server = await listen([first, last], (socket) => socket.destroy())
    here.push(server)
    return (server.address() as AddressInfo).port
  } catch {
    return undefined // It is said that the port is taken.
  }
}

/** The servers after it in a ring: every one is tried by as many as it tries. */
function others(
  { fleet }: Context,
  server: Server,
  peers: ReadonlyMap<Server, number>,
  facts: FleetFacts,
): Aim[] {
  const { servers } = fleet
  const at = servers.indexOf(server)
  const ring = [...servers.slice(at + 1), ...servers.slice(0, at)].slice(0, MOST_TARGETS)
  return ring.flatMap((other) => {
    const port = peers.get(other)
    const host = facts.get(other)?.serverAddress ?? other.host
    return port === undefined ? [] : [aim(other.label, 'peer', host, port)]
  })
}

async function connectAll(
  { fleet, settings, signal }: Context,
  servers: readonly Server[],
  aims: (server: Server) => Aim[],
): Promise<Problem[]> {
  const plan = (server: Server) => ({
    script: connectScript(settings.node),
    stdin: JSON.stringify(aims(server).map(({ target }) => target)),
  })
  const outcomes = await fleet.run('network', plan, { servers, signal, totalTimeout: PATIENCE })
  return outcomes.flatMap((outcome) => {
    if (!outcome.ok) {
      return failuresOf([outcome], 'network').map(({ server, cause, cure = 'run murder:doctor again' }) => ({
        ...{ server, check: 'network', cause, cure },
      }))
    }
    const reached = parseReached(outcome.stdout)
    return aims(outcome.server).flatMap((each): Problem[] => {
      const word = reached.get(JSON.stringify(each.target)) ?? 'failed'
      return word === 'reached' ? [] : [unreachable(outcome.server.label, each, word)]
    })
  })
}

function unreachable(server: string, { name, port, target: [, number] }: Aim, word: Reached): Problem {
  const how =
    word === 'silent' ? 'nothing answers' : word === 'refused' ? 'the connection is refused' : 'no way there'
  const cures = {
    tracker:
      'let this port through firewalls, or set murder.announce to the right address, or murder.seeder to a server',
    'external tracker':
      'start it, or let its port through firewalls; without murder.tracker.at a deploy has a tracker of its own',
    seeder:
      'let the ports of murder.ports through firewalls, or set murder.announce, or murder.seeder to a server',
    peer: 'let the ports of murder.ports through firewalls between the servers',
  }
  return {
    server,
    check: `${port} port`,
    cause: `does not reach port ${number} of ${name}: ${how}`,
    cure: cures[port],
  }
}
