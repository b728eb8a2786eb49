import { hasRelease, type Lane, lanes, type Picture, type ServerPicture } from './picture.ts'

/** How many servers are in each lane. */
export function laneCounts(servers: readonly ServerPicture[]): Record<Lane, number> {
  const counts = Object.fromEntries(lanes.map((lane) => [lane, 0])) as Record<Lane, number>
  for (const { lane } of servers) counts[lane] += 1
  return counts
}

/** Places of all servers: failed ones first, then those that are furthest behind, then those that finished last. */
export function slowestFirst({ servers, run }: Picture): number[] {
  const rank = (server: ServerPicture) => (server.lane === 'failed' ? 0 : hasRelease(server) ? 2 : 1)
  return servers
    .map((server, place) => ({ server, place, rank: rank(server), doneS: doneAtS(server) ?? run.atS }))
    .sort(
      (one, other) =>
        one.rank - other.rank ||
        (one.rank === 1 ? behind(one.server, other.server) : other.doneS - one.doneS) ||
        one.place - other.place,
    )
    .map(({ place }) => place)
}

const behind = (one: ServerPicture, other: ServerPicture) =>
  lanes.indexOf(one.lane) - lanes.indexOf(other.lane) || one.bytes - other.bytes || one.rate - other.rate

/** When the server had the release. */
export function doneAtS({ spans }: ServerPicture): number | undefined {
  return spans.find(([lane]) => lane === 'ready')?.[1] ?? spans.find(([lane]) => lane === 'publish')?.[1]
}

/** The middle of the times when servers had the release. */
export function medianDoneS(servers: readonly ServerPicture[]): number | undefined {
  const times = servers.flatMap((server) => doneAtS(server) ?? []).sort((one, other) => one - other)
  return times[Math.floor((times.length - 1) / 2)]
}

/** Seconds in the lane that the server is in. */
export function inLaneS({ spans }: ServerPicture, nowS: number): number {
  const last = spans.at(-1)
  return last ? Math.max(0, (last[2] ?? nowS) - last[1]) : 0
}
