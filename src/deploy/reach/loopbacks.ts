import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { pause } from '../../system/backoff.ts'
import { passesLoopback } from '../../torrent/wire/loopback.ts'
import type { Start } from './try-ways.ts'

/** A server that says nothing for this long is left to other limits. */
const ANSWER_TIMEOUT_S = 15

/**
 * The way through SSH begins at the loopback of a server and ends at that of this machine. Gives those of these servers for which a
 * firewall drops a peer's first words there.
 */
export async function tryLoopbacks(
  servers: readonly Server[],
  peers: Start['peers'],
  signal: AbortSignal,
): Promise<Failure[]> {
  if (servers.length === 0) return []
  const over = new AbortController()
  const late = pause(ANSWER_TIMEOUT_S, AbortSignal.any([signal, over.signal])).catch(() => {})
  const asked = servers.map((server) => Promise.race([late, peers.get(server)?.ask({ loopback: true })]))
  const [isOpenHere, ...answers] = await Promise.all([passesLoopback(), ...asked])
  over.abort()
  return servers.flatMap((server, at) => {
    if (!isOpenHere) return filtered(server, 'the deploy host')
    return answers[at] === false ? filtered(server, 'this server') : []
  })
}

const filtered = ({ label }: Server, machine: string): Failure => ({
  server: label,
  step: 'check',
  cause: `a firewall of ${machine} drops what has the text "BitTorrent protocol" on its loopback, too, so the release cannot come through SSH`,
  cure: 'let loopback out of that rule: iifname != "lo" in nftables, ! -i lo in iptables',
})
