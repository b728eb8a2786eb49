import type { Server as Listener, Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Server } from '../../fleet/ssh/server.ts'
import { REACHED_WORDS, type Reached, type ReachQuestion } from '../../protocol/reach.ts'
import { pause } from '../../system/backoff.ts'
import { listen } from '../../torrent/peers/listen.ts'
import { answerHandshake } from '../../torrent/wire/answer-handshake.ts'
import type { TaskContext } from '../context/context.ts'
import type { Machine, Placement } from '../hosts/placement.ts'
import type { RemotePeer } from '../peers/remote-peer.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { withLateAnswers } from './late-answers.ts'
import { linkPairs } from './link-pairs.ts'

/** An agent that answers at all is faster than this. */
const ANSWER_TIMEOUT_S = 4

/** The servers of a deploy whose agents are asked. */
export interface Start {
  facts: FleetFacts
  peers: ReadonlyMap<Server, RemotePeer>
  /** Settles when the agent is wherever it was missing. */
  uploaded: Promise<unknown>
}

/** A program of this deploy, tracker or seeder, on this machine. */
export interface Site {
  machine: Machine
  /** Where it listens; undefined if it does not yet. */
  port: number | undefined
  /** Where it will listen. */
  range: [first: number, last: number]
  isPeer: boolean
}

/** The servers' answers. A server that did not answer in time is missing. */
export interface Tried {
  /** How each server reached the sites, in their order. */
  sites: ReadonlyMap<Server, readonly Reached[]>
  /** How each server reached others. */
  servers: ReadonlyMap<Server, ReadonlyMap<Server, Reached>>
}

/**
 * Each server tries to reach these sites. With `between` it also tries the peer ports of servers that it may exchange with: a few
 * of them in a large fleet. Meanwhile something listens on the ports that nothing listens on yet.
 */
export async function tryWays(
  context: Pick<TaskContext, 'settings' | 'signal'>,
  start: Start,
  { sites, placement, between }: { sites: readonly Site[]; placement: Placement; between: boolean },
): Promise<Tried> {
  const tried = { sites: new Map<Server, Reached[]>(), servers: new Map<Server, Map<Server, Reached>>() }
  const listeners: Listener[] = []
  const targets: { machine: Machine; port: number; isPeer: boolean }[] = []
  const handshakes = { asked: 0, heard: 0 }
  const onSocket = (socket: Socket) => answerHandshake(socket, () => handshakes.heard++)
  try {
    for (const { machine, port, range, isPeer } of sites) {
      const listener = port === undefined ? await listen(range, onSocket) : undefined
      if (listener) listeners.push(listener)
      // A seeder answers no handshake but for its own content, and so it is only connected to.
      targets.push({ machine, port: port ?? portOf(listener?.address()) ?? 0, isPeer: isPeer && !!listener })
    }
  } catch {
    return tried // No port is free here. The tracker or seeder will report that when it starts.
  }
  const delay = monitorEventLoopDelay()
  delay.enable()
  const over = new AbortController()
  const ends = AbortSignal.any([context.signal, over.signal])
  /** Waits for all, but not for late ones. */
  const inTime = (asked: Promise<unknown>[]) => {
    const late = start.uploaded.then(() => pause(ANSWER_TIMEOUT_S, ends)).catch(() => {})
    return Promise.race([late, Promise.all(asked)])
  }
  const servers = [...start.peers.keys()]
  const joined = joinedTo(servers)
  const ports = new Map<Server, number>()
  const listenAt = async (server: Server, peer: RemotePeer) => {
    const port = portOf(await peer.ask({ listen: context.settings.ports }))
    if (port !== undefined) ports.set(server, port)
  }
  const ask = async (server: Server, peer: RemotePeer) => {
    const here = targets.flatMap(({ machine, port, isPeer }) =>
      placement.isReachable(machine, server)
        ? [{ host: placement.addressOf(machine, server), port, isPeer }]
        : [],
    )
    const others = (joined.get(server) ?? []).flatMap((other) => {
      const port = ports.get(other)
      const host = start.facts.get(other)?.serverAddress ?? other.host
      return port === undefined ? [] : [{ other, target: { host, port, isPeer: true } }]
    })
    const reach: ReachQuestion['reach'] = [...here, ...others.map(({ target }) => target)]
    if (reach.length === 0) return
    handshakes.asked += here.filter(({ isPeer }) => isPeer).length
    const words = wordsOf(await peer.ask({ reach }), reach.length)
    if (!words) return
    if (here.length === targets.length) tried.sites.set(server, words.slice(0, here.length))
    const reached = others.map(({ other }, at) => [other, words[here.length + at] as Reached] as const)
    tried.servers.set(server, new Map(reached))
  }
  try {
    const all = [...start.peers]
    if (between) await inTime(all.map(([server, peer]) => listenAt(server, peer)))
    await inTime(all.map(([server, peer]) => ask(server, peer)))
  } finally {
    over.abort()
    for (const listener of listeners) listener.close()
    delay.disable()
  }
  return { ...tried, sites: withLateAnswers(tried.sites, { ...handshakes, busyS: delay.max / 1e9 }) }
}

/** Those that each server is joined with, in one direction or the other. */
function joinedTo(servers: readonly Server[]): Map<Server, Server[]> {
  const joined = new Map(servers.map((server): [Server, Server[]] => [server, []]))
  for (const pair of linkPairs(servers.length)) {
    const [from, to] = pair.map((at) => servers[at] as Server) as [Server, Server]
    joined.get(from)?.push(to)
    joined.get(to)?.push(from)
  }
  return joined
}

/** A server's answer may be anything. */
function portOf(answer: unknown): number | undefined {
  const { port } = (answer ?? {}) as { port?: unknown }
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

function wordsOf(answer: unknown, count: number): Reached[] | undefined {
  const isFull = Array.isArray(answer) && answer.length === count
  return isFull && answer.every((word) => REACHED_WORDS.includes(word)) ? answer : undefined
}
