import type { Server as Listener } from 'node:net'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Reached, ReachQuestion } from '../../protocol/reach.ts'
import type { RelayPorts } from '../../protocol/tunnel/tunnel.ts'
import { pause } from '../../system/backoff.ts'
import { listen } from '../../torrent/peers/listen.ts'
import type { Context } from '../context/context.ts'
import { answerHandshake } from '../doctor/answer-handshake.ts'
import { Placement } from '../hosts/placement.ts'
import type { RemotePeer } from '../peers/remote-peer.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { chooseReach, type Way } from './choose-reach.ts'
import { reachLine } from './reach-line.ts'
import { Relay, type RelayTargets } from './relay.ts'

/** An agent that answers at all does so in less. */
const ANSWER_TIMEOUT_S = 4
const RELAY_TIMEOUT_S = 15

/** How the servers of a deploy reach tracker and seeder on this machine. */
export interface Reach {
  /** The servers that do so through SSH. */
  readonly through: ReadonlySet<Server>
  /** The ports of the relay on each of these servers, once all have started. Relays that could not be started are missing. */
  readonly relays: Promise<ReadonlyMap<Server, RelayPorts>>
  /** Where that of this server leads, if it has one. */
  lead(server: Server, targets: RelayTargets): void
  close(): Promise<void>
}

interface Start {
  facts: FleetFacts
  peers: ReadonlyMap<Server, RemotePeer>
  /** Settles when the agent is wherever it was missing. */
  uploaded: Promise<unknown>
}

/** Finds out while the package is made how each server reaches this machine, and makes the ways through SSH. */
export async function prepareReach(context: Context, start: Start): Promise<Reach> {
  const relays = new Map<Server, Relay>()
  const ways = await waysOf(context, start)
  for (const [server, { way }] of ways) if (way === 'ssh') relays.set(server, new Relay(context, server))
  const line = reachLine([...ways.values()])
  if (line) context.display.board().log(line)
  return {
    through: new Set(relays.keys()),
    relays: portsOf(relays, context.signal),
    lead: (server, targets) => relays.get(server)?.leadTo(targets),
    async close() {
      await Promise.all([...relays.values()].map((relay) => relay.close()))
    },
  }
}

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
async function waysOf(context: Context, start: Start): Promise<Map<Server, Way>> {
  const { reach, ports, trackerPorts } = context.settings
  const placement = new Placement(context, start.facts)
  const { seeder, tracker, hasOwnTracker } = placement
  const sites = [
    ...(hasOwnTracker && !tracker.server ? [{ site: tracker, range: trackerPorts, isPeer: false }] : []),
    ...(seeder.server ? [] : [{ site: seeder, range: ports, isPeer: true }]),
  ]
  const listeners: Listener[] = []
  const over = new AbortController()
  const words = new Map<Server, readonly Reached[]>()
  const hasAddress = (server: Server) => sites.every(({ site }) => placement.isReachable(site, server))
  const ask = async (server: Server, peer: RemotePeer): Promise<void> => {
    const targets: ReachQuestion['reach'] = sites.flatMap(({ site, isPeer }, index) => {
      const { port } = (listeners[index]?.address() ?? {}) as { port?: number }
      return port === undefined ? [] : [{ host: placement.addressOf(site, server), port, isPeer }]
    })
    words.set(server, await peer.ask({ reach: targets }))
  }
  if (reach === 'auto') {
    try {
      for (const { range } of sites) listeners.push(await listen(range, answerHandshake))
      const ends = AbortSignal.any([context.signal, over.signal])
      const late = start.uploaded.then(() => pause(ANSWER_TIMEOUT_S, ends)).catch(() => {})
      const asked = [...start.peers].filter(([server]) => sites.length > 0 && hasAddress(server))
      await Promise.race([late, Promise.all(asked.map(([server, peer]) => ask(server, peer)))])
    } catch {
      // No port is free here: what needs one says so, when it starts.
    } finally {
      over.abort()
      for (const listener of listeners) listener.close()
    }
  }
  if (sites.length === 0) return new Map()
  return new Map(
    [...start.peers.keys()].map((server) => [
      server,
      chooseReach({ hasAddress: hasAddress(server), words: words.get(server) }, reach),
    ]),
  )
}
