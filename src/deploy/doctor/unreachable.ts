import type { Reached } from '../../protocol/reach.ts'
import type { Problem } from './problem.ts'

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
    'let this port through firewalls, or set murder.announce to the right address, or murder.seeder to a server; until then a deploy goes through SSH',
  'external tracker':
    'start it, or let its port through firewalls; without murder.tracker.at a deploy has a tracker of its own',
  seeder:
    'let the ports of murder.ports through firewalls, or set murder.announce, or murder.seeder to a server; until then a deploy goes through SSH',
  peer: 'let the ports of murder.ports through firewalls between the servers; until then the seeder sends the release once for each server, unless murder.between has them exchange over SSH',
}

/** No setting can hide the handshake's text, because other BitTorrent clients could not take part then. */
const MUTE_CURE =
  'allow it on these ports in the filter (a string match of nftables or iptables, "application control" or "P2P" of a firewall); other ports do not help'

export function unreachable({ from, to, port, number, word }: Unreachable): Problem {
  return {
    server: from,
    check: `${port} port`,
    cause: `does not reach port ${number} of ${to}: ${HOW[word]}`,
    cure: word === 'mute' ? MUTE_CURE : CURES[port],
    to,
    port: number,
    how: HOW[word],
  }
}
