import type { AddressInfo } from 'node:net'
import { PersistentShell } from '../../fleet/persistent-shell.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { listen } from '../../torrent/peers/listen.ts'
import { answerHandshake } from '../../torrent/wire/answer-handshake.ts'
import type { TaskContext } from '../context/context.ts'
import type { Machine, Placement } from '../hosts/placement.ts'
import { setNodeOf } from '../paths/server-node.ts'
import { listenScript } from '../scripts/probe-script.ts'
import { parseValues } from '../scripts/values.ts'
import type { Problem } from './problem.ts'

/** How long a probe may take. */
export const PROBE_TIMEOUT_S = 20

/** A port on which something listens while servers try to connect to it. */
export interface Listener {
  port: number
  close(): Promise<void>
}

/** Where servers and seeder listen, by machine; undefined is the deploy host. */
export type PeerListeners = ReadonlyMap<Server | undefined, Listener>

interface Listeners {
  tracker: Listener | undefined
  peers: PeerListeners
  problems: Problem[]
}

/**
 * Listens where the tracker will, and on the first free peer port of each server and of the machine that seeds. `isBusy`: a
 * deploy runs meanwhile, and its tracker has the port.
 */
export async function listenEverywhere(
  context: TaskContext,
  { tracker, seeder, hasOwnTracker }: Placement,
  servers: readonly Server[],
  isBusy: boolean,
): Promise<Listeners> {
  const { ports, trackerPorts } = context.settings
  // While a deploy runs, its tracker has the first port, and firewalls may allow no other.
  const wanted: [number, number] = isBusy ? [trackerPorts[0], trackerPorts[0]] : trackerPorts
  const atTracker = hasOwnTracker ? await listenAt(context, tracker.server, wanted) : undefined
  const peers = new Map<Server | undefined, Listener>()
  const listenAsPeer = async (server: Server | undefined) => {
    const listener = await listenAt(context, server, ports)
    if (listener) peers.set(server, listener)
  }
  await Promise.all([...new Set([...servers, seeder.server])].map(listenAsPeer))
  const problems = servers.filter((server) => !peers.has(server)).map(({ label }) => noPeerPort(label, ports))
  if (hasOwnTracker && !atTracker) problems.push(trackerPortTaken(tracker, wanted, isBusy))
  return { tracker: atTracker, peers, problems }
}

const noPeerPort = (server: string, ports: readonly number[]): Problem => ({
  server,
  check: 'peer port',
  cause: `no port from ${ports.join(' to ')} is free`,
  cure: 'set murder.ports to a range with free ports',
})

function trackerPortTaken(
  { label: server }: Machine,
  [first, last]: [number, number],
  isBusy: boolean,
): Problem {
  const check = 'tracker port'
  const ports = first === last ? `port ${first} is` : `all ports from ${first} to ${last} are`
  if (isBusy) {
    const cause = `${ports} taken while a deploy runs: it was not tried`
    return { server, check, cause, cure: 'run murder:doctor again when the deploy is done' }
  }
  const cause = `${ports} taken by another program`
  return { server, check, cause, cure: 'stop it, or set murder.tracker.port to another port' }
}

/** Undefined where no port of the range is free, or listening fails. */
async function listenAt(
  context: TaskContext,
  server: Server | undefined,
  range: [first: number, last: number],
): Promise<Listener | undefined> {
  if (!server) return listenHere(range)
  const { fleet, signal } = context
  const script = listenScript(setNodeOf(context, server), range)
  const order = { step: 'network', script, answerTimeout: PROBE_TIMEOUT_S, signal }
  const shell = new PersistentShell(fleet, server, order)
  const outcome = await shell.said
  const port = outcome.ok ? Number(parseValues(outcome.stdout).get('port')) : 0
  if (Number.isInteger(port) && port > 0 && port < 65_536) return { port, close: () => shell.close() }
  await shell.close()
  return undefined
}

async function listenHere(range: [first: number, last: number]): Promise<Listener | undefined> {
  try {
    const server = await listen(range, answerHandshake)
    const { port } = server.address() as AddressInfo
    return { port, close: async () => void server.close() }
  } catch {
    return undefined // The caller says that the port is taken.
  }
}
