import type { Settings } from '../../config/schema.ts'
import type { Reached } from '../../protocol/reach.ts'
import type { Problem } from './problem.ts'
import type { WayBetween } from './ways-between.ts'

/** A kind of port that servers try to reach. */
export type PortKind = 'tracker' | 'external tracker' | 'seeder' | 'peer'

/** A connection that was tried and failed. */
export interface Unreachable {
  from: string
  to: string
  port: PortKind
  number: number
  word: Exclude<Reached, 'reached'>
}

const HOW = {
  silent: 'nothing answers',
  refused: 'the connection is refused',
  failed: 'no way there',
  mute: 'the connection opens, but something on the way drops what has the text "BitTorrent protocol"',
}

const CURES = {
  tracker:
    'let this port through firewalls, or set murder.announce to the right address, or murder.seeder to a server, or murder.reach to auto',
  'external tracker':
    'start it, or let its port through firewalls; without murder.tracker.at a deploy has a tracker of its own',
  seeder:
    'let the ports of murder.ports through firewalls, or set murder.announce, or murder.seeder to a server, or murder.reach to auto',
  peer: 'let the ports of murder.ports through firewalls between the servers; until then the seeder sends the release once for each server, unless murder.between has them exchange over SSH',
}

/** No setting can hide the handshake's text, because other BitTorrent clients could not take part then. */
const MUTE_CURE =
  'allow it on these ports in the filter (a string match of nftables or iptables, "application control" or "P2P" of a firewall); other ports do not help'

/** What a deploy does instead. A tracker that others run is there because somebody wants it, so nothing replaces it. */
const AROUND: Partial<Record<PortKind, string>> = {
  tracker: 'nothing has to be done: a deploy goes through SSH',
  seeder: 'nothing has to be done: a deploy goes through SSH; it may be faster with murder.ports open',
  peer: 'nothing has to be done: the other server connects, or they exchange over SSH; it may be faster with murder.ports open',
}

/** Whether a deploy gets around it, with these settings. `between`: how the two servers reach each other in the better direction. */
export function isBypassed(
  port: PortKind,
  between: WayBetween | undefined,
  settings: Pick<Settings, 'reach' | 'between'>,
): boolean {
  if (AROUND[port] === undefined) return false
  if (port !== 'peer') return settings.reach !== 'direct'
  return between === 'direct'
    ? settings.between !== 'ssh'
    : between === 'ssh' && settings.between !== 'direct'
}

export function unreachable({ from, to, port, number, word }: Unreachable, bypassed: boolean): Problem {
  const around = bypassed ? AROUND[port] : undefined
  return {
    server: from,
    check: `${port} port`,
    cause: `does not reach port ${number} of ${to}: ${HOW[word]}`,
    cure: around ?? (word === 'mute' ? MUTE_CURE : CURES[port]),
    ...(around ? { bypassed } : {}),
    to,
    port: number,
    how: HOW[word],
  }
}
