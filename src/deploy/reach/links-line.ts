import type { Server } from '../../fleet/ssh/server.ts'
import type { Reached } from '../../protocol/reach.ts'
import { count } from '../outcome/say.ts'

/** Why a server is not reached over SSH, by one of the others or by all. */
export interface Unlinked {
  to: Server
  why: string
  from?: Server
}

const BLOCKED: Record<Exclude<Reached, 'reached'>, string> = {
  silent: 'nothing answers on their peer ports',
  refused: 'their peer ports refuse',
  failed: 'there is no way to their peer ports',
  mute: 'something on the way drops what has the text "BitTorrent protocol"',
}

/** The choice between servers and its reason. Where a link fails: the cause, and what is done instead. */
export function linksLine({
  servers,
  links,
  unlinked,
  blocked,
  isForwarded = false,
}: {
  servers: readonly Server[]
  links: readonly (readonly [Server, Server])[]
  unlinked: readonly Unlinked[]
  blocked: readonly Exclude<Reached, 'reached'>[]
  /** Whether any of them needs the SSH agent that the user forwards. */
  isForwarded?: boolean
}): string {
  const why = blocked.length > 0 ? blocked.map((word) => BLOCKED[word]).join('; ') : 'as murder.between says'
  const linked = servers.filter((server) => links.some((link) => link.includes(server)))
  const without = servers.filter((server) => !linked.includes(server))
  const causes = [
    ...new Set(
      unlinked
        .filter(({ to, from }) => without.includes(to) || (from && without.includes(from)))
        .map(({ to, why }) => `${to.label}: ${why}`),
    ),
  ]
  const [first = 'they did not answer in time', ...more] = causes
  const cause = more.length > 0 ? `${first}; and ${more.length} more` : first
  if (linked.length === 0)
    return `Servers do not reach each other (${why}), nor over SSH (${cause}): the seeder sends all to each`
  const who =
    without.length === 0
      ? 'The servers exchange'
      : `${linked.length} of ${count(servers.length, 'server')} exchange`
  const rest =
    without.length === 0
      ? ''
      : `; not ${without.length === 1 ? 'one' : without.length} (${cause}), to which the seeder sends all`
  const login = isForwarded ? ', with the SSH agent that is forwarded' : ''
  return `${who} over SSH${login}: ${why}${rest}`
}
