import type { Outcome } from '../../fleet/command.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { endpointOf } from '../../system/addresses.ts'
import type { TaskContext } from '../context/context.ts'
import { type Machine, Placement } from '../hosts/placement.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { setNodeOf } from '../paths/server-node.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { addressBetween } from '../reach/address-between.ts'
import { connectScript, parseReached, type Target } from '../scripts/probe-script.ts'
import { type Listener, listenEverywhere, type PeerListeners, PROBE_TIMEOUT_S } from './listeners.ts'
import type { Problem } from './problem.ts'
import { isBypassed, type PortKind, type Unreachable, unreachable } from './unreachable.ts'
import { PairWays, type TriedPair, type WaysBetween } from './ways-between.ts'

/** Each server tries to reach this many others; in a smaller fleet all of them. */
const MAX_TARGETS = 12

/** A port of another machine that a server tries to reach. */
interface Probe {
  machine: string
  port: PortKind | 'ssh'
  target: Target
}

/**
 * Whether every server reaches tracker, seeder and other servers on their ports. `isBusy`: a deploy runs meanwhile, and its
 * tracker has the port.
 */
export async function probeNetwork(
  context: TaskContext,
  facts: FleetFacts,
  isBusy: boolean,
): Promise<{ problems: Problem[]; ways: WaysBetween }> {
  const servers = [...facts.keys()]
  const placement = new Placement(context, facts)
  const { tracker, peers, problems } = await listenEverywhere(context, placement, servers, isBusy)
  const probesOf = (server: Server): Probe[] => [
    ...probeMachine(placement, 'tracker', tracker, server),
    ...probeMachine(placement, 'seeder', peers.get(placement.seeder.server), server),
    ...probeExternalTracker(placement),
    ...probePeers(context, server, peers, facts),
  ]
  try {
    const found = await connectAll(context, servers, probesOf)
    return { ...found, problems: [...problems, ...found.problems] }
  } finally {
    await Promise.all([tracker, ...peers.values()].map((listener) => listener?.close()))
  }
}

/** Undefined where the server is that machine itself, or does not know its address, which another check reports. */
function probeMachine(
  placement: Placement,
  port: 'tracker' | 'seeder',
  listener: Listener | undefined,
  server: Server,
): Probe[] {
  const machine: Machine = placement[port]
  if (!listener || machine.server === server || !placement.isReachable(machine, server)) return []
  const host = placement.addressOf(machine, server)
  return [{ machine: machine.label, port, target: [host, listener.port, port === 'seeder'] }]
}

function probeExternalTracker({ externalTracker: url }: Placement): Probe[] {
  if (url === undefined) return []
  const { host, port } = endpointOf(url)
  return [{ machine: new URL(url).hostname, port: 'external tracker', target: [host, port, false] }]
}

/** The servers after it in a ring, so that each server probes and is probed equally often. */
function probePeers(
  { fleet: { servers }, settings }: Pick<TaskContext, 'fleet' | 'settings'>,
  server: Server,
  listeners: PeerListeners,
  facts: FleetFacts,
): Probe[] {
  const at = servers.indexOf(server)
  const ring = [...servers.slice(at + 1), ...servers.slice(0, at)].slice(0, MAX_TARGETS)
  return ring.flatMap((other) => {
    const listener = listeners.get(other)
    const host = facts.get(other)?.serverAddress ?? other.host
    const ssh = addressBetween(settings.betweenAddresses, other, facts.get(other))
    return [
      ...(listener ? [probe(other, 'peer', [host, listener.port, true])] : []),
      ...ssh.hosts.map((each) => probe(other, 'ssh', [each, ssh.port, false])),
    ]
  })
}

const probe = ({ label }: Server, port: Probe['port'], target: Target): Probe => ({
  machine: label,
  port,
  target,
})

async function connectAll(
  context: TaskContext,
  servers: readonly Server[],
  probesOf: (server: Server) => Probe[],
): Promise<{ problems: Problem[]; ways: WaysBetween }> {
  const { fleet, settings, signal } = context
  const plan = (server: Server) => ({
    script: connectScript(setNodeOf(context, server)),
    stdin: JSON.stringify(probesOf(server).map(({ target }) => target)),
  })
  const outcomes = await fleet.run('network', plan, { servers, signal, totalTimeoutS: PROBE_TIMEOUT_S })
  const tried: TriedPair[] = []
  const failed = outcomes.flatMap((outcome): Unreachable[] => {
    if (!outcome.ok) return []
    const reached = parseReached(outcome.stdout)
    const wordOf = ({ target }: Probe) => reached.get(JSON.stringify(target)) ?? 'failed'
    const probes = probesOf(outcome.server)
    const from = outcome.server.label
    const hasSsh = (to: string) =>
      probes.some((each) => each.port === 'ssh' && each.machine === to && wordOf(each) === 'reached')
    return probes.flatMap((each): Unreachable[] => {
      const { machine: to, port, target } = each
      if (port === 'ssh') return []
      const word = wordOf(each)
      if (port === 'peer')
        tried.push({ from, to, way: word === 'reached' ? 'direct' : hasSsh(to) ? 'ssh' : 'none' })
      return word === 'reached' ? [] : [{ from, to, port, number: target[1], word }]
    })
  })
  const ways = new PairWays(tried)
  const closed = failed.map((each) =>
    unreachable(each, isBypassed(each.port, ways.of(each.from, each.to), settings)),
  )
  return { problems: [...outcomes.flatMap(unanswered), ...closed], ways: ways.count() }
}

const unanswered = (outcome: Outcome): Problem[] =>
  failuresOf([outcome], 'network').map(({ server, cause, cure = 'run murder:doctor again' }) => {
    return { server, check: 'network', cause, cure }
  })
