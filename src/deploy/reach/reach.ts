import type { Server } from '../../fleet/ssh/server.ts'
import type { RelayPorts } from '../../protocol/tunnel/tunnel.ts'
import type { Failure } from '../../report/failures.ts'
import { pause } from '../../system/backoff.ts'
import type { TaskContext } from '../context/context.ts'
import { Placement } from '../hosts/placement.ts'
import type { RemotePeer } from '../peers/remote-peer.ts'
import { chooseReach, usualWords, type Way } from './choose-reach.ts'
import { type FleetLinks, prepareLinks } from './fleet-links.ts'
import { tryLoopbacks } from './loopbacks.ts'
import { reachLine } from './reach-line.ts'
import { Relay, type RelayTargets } from './relay.ts'
import { type Site, type Start, type Tried, tryWays } from './try-ways.ts'

/** A hundred relays that start at once on a busy machine take longer than 15 s. */
const RELAY_TIMEOUT_S = 60

/** How the servers of a deploy reach tracker and seeder on this machine, and each other. */
export interface Reach {
  /** The servers that reach tracker and seeder through SSH. */
  readonly through: ReadonlySet<Server>
  /** Each server tried whether it reaches them directly. */
  readonly areWaysTried: boolean
  /** The ports of the relay on each of these servers, once all have started. Relays that could not be started are missing. */
  readonly relays: Promise<ReadonlyMap<Server, RelayPorts>>
  /** The servers whose way through SSH a firewall closes, too. */
  readonly filtered: Promise<readonly Failure[]>
  /** The links between servers over SSH, once they are made. */
  readonly links: Promise<FleetLinks>
  /**
   * Finds out how a server reaches tracker and seeder that could not say so before, because its order needed neither. `targets`: the
   * ports where they run. Its relay, if it needs one, is in `relays` then.
   */
  meet(server: Server, peer: RemotePeer, targets: RelayTargets): Promise<void>
  /** Where the relay of this server leads, if it has one. */
  lead(server: Server, targets: RelayTargets): void
  close(): Promise<void>
}

/**
 * Finds out how each server reaches this machine and the others, while the package is made, and prepares relays and links over
 * SSH. `running`: the ports of tracker and seeder where they run already.
 */
export async function prepareReach(
  context: TaskContext,
  start: Start,
  tag: string,
  running: RelayTargets = {},
): Promise<Reach> {
  const { placement, tried, ways, relays, areWaysTried } = await findWays(context, start, running)
  const tell = (line: string | undefined) => line && context.display.board().log(line)
  tell(reachLine([...ways.values()]))
  const links = prepareLinks(context, start, tried.servers, tag)
  links.catch(() => {}) // Whoever awaits them gets the failure.
  const relayPorts = portsOf(relays, context.signal)
  return {
    through: new Set(relays.keys()),
    areWaysTried,
    relays: relayPorts,
    filtered: tryLoopbacks(placement.seeder.server ? [] : [...relays.keys()], start.peers, context.signal),
    links,
    async meet(server, peer, targets) {
      if (!areWaysTried || tried.sites.has(server) || relays.has(server)) return
      const alone = { ...start, peers: new Map([[server, peer]]) }
      const found = await findWays(context, alone, targets)
      tell(reachLine([...found.ways.values()], server.label))
      for (const [one, relay] of found.relays) relays.set(one, relay)
      for (const [one, own] of await portsOf(found.relays, context.signal)) (await relayPorts).set(one, own)
    },
    lead: (server, targets) => relays.get(server)?.leadTo(targets),
    async close() {
      await Promise.all([...relays.values()].map((relay) => relay.close()))
    },
  }
}

/** Asks how each server reaches this machine, and perhaps the others, and starts the relays that are needed. */
async function findWays(context: TaskContext, start: Start, running: RelayTargets) {
  const { reach, between, ports, trackerPorts } = context.settings
  const placement = new Placement(context, start.facts)
  const { seeder, tracker, hasOwnTracker } = placement
  const sites: Site[] = [
    ...(hasOwnTracker && !tracker.server
      ? [{ machine: tracker, port: running.tracker, range: trackerPorts, isPeer: false }]
      : []),
    ...(seeder.server ? [] : [{ machine: seeder, port: running.seeder, range: ports, isPeer: true }]),
  ]
  const isBetween = between === 'auto' && start.peers.size > 1
  const wanted = { sites: reach === 'auto' ? sites : [], placement, between: isBetween }
  const tried = await tryWays(context, start, wanted)
  const ways = waysOf(context, start, { sites, placement, tried })
  const relays = new Map<Server, Relay>()
  for (const [server, { way }] of ways) if (way === 'ssh') relays.set(server, new Relay(context, server))
  return { placement, tried, ways, relays, areWaysTried: wanted.sites.length > 0 }
}

/** Closes a way to this machine that may still be on its way. Its failure is told to those that await it. */
export const closeReach = (reaching: Promise<Reach>): Promise<void> =>
  reaching.then(
    (reach) => reach.close(),
    () => {},
  )

async function portsOf(
  relays: ReadonlyMap<Server, Relay>,
  signal: AbortSignal,
): Promise<Map<Server, RelayPorts>> {
  const ports = new Map<Server, RelayPorts>()
  if (relays.size === 0) return ports
  const over = new AbortController()
  const late = pause(RELAY_TIMEOUT_S, AbortSignal.any([signal, over.signal])).catch(() => {})
  const each = [...relays].map(async ([server, relay]) => {
    const found = await Promise.race([relay.ready, late])
    if (found) ports.set(server, found)
  })
  await Promise.all(each)
  over.abort()
  return ports
}

/** None where neither tracker nor seeder is on this machine. */
function waysOf(
  { settings }: Pick<TaskContext, 'settings'>,
  { peers }: Start,
  { sites, placement, tried }: { sites: readonly Site[]; placement: Placement; tried: Tried },
): Map<Server, Way> {
  if (sites.length === 0) return new Map()
  const hasAddress = (server: Server) => sites.every(({ machine }) => placement.isReachable(machine, server))
  const usual = usualWords(tried.sites.values())
  return new Map(
    [...peers.keys()].map((server) => {
      const words = tried.sites.get(server) ?? usual
      return [server, chooseReach({ hasAddress: hasAddress(server), words }, settings.reach)]
    }),
  )
}
