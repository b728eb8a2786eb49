import { hasRelease, type Lane, lanes, type Picture, type ServerPicture } from './picture.ts'

/** How many servers are in each lane. */
export function laneCounts(servers: readonly ServerPicture[]): Record<Lane, number> {
  const counts = Object.fromEntries(lanes.map((lane) => [lane, 0])) as Record<Lane, number>
  for (const { lane } of servers) counts[lane] += 1
  return counts
}

/** Places of all servers: failed ones first, then those that are furthest behind, then those that finished last. */
export function slowestFirst({ servers, run }: Picture): number[] {
  const keys = servers.map((server) => sortKey(server, run.atS))
  return keys
    .map((_, place) => place)
    .sort((one, other) => {
      const [first, second] = [keys[one] ?? [], keys[other] ?? []]
      const differs = first.findIndex((value, at) => value !== second[at])
      return differs < 0 ? one - other : (first[differs] ?? 0) - (second[differs] ?? 0)
    })
}

/** Numbers to sort by, the first one that differs decides. */
function sortKey(server: ServerPicture, nowS: number): number[] {
  const { lane, bytes, rate } = server
  if (lane === 'failed') return [0, -(doneAtS(server) ?? nowS)]
  if (hasRelease(server)) return [2, -(doneAtS(server) ?? nowS)]
  return [1, lanes.indexOf(lane), bytes, rate]
}

/** When the server had the release. */
export function doneAtS({ spans }: ServerPicture): number | undefined {
  return spans.find(([lane]) => lane === 'ready')?.[1] ?? spans.find(([lane]) => lane === 'publish')?.[1]
}

/** The time after which half of all servers had the release; undefined until then. */
export function medianDoneS(servers: readonly ServerPicture[]): number | undefined {
  const times = servers.flatMap((server) => doneAtS(server) ?? []).sort((one, other) => one - other)
  return times[Math.ceil(servers.length / 2) - 1]
}

/** Seconds in the lane that the server is in. */
export function inLaneS({ spans }: ServerPicture, nowS: number): number {
  const last = spans.at(-1)
  return last ? Math.max(0, (last[2] ?? nowS) - last[1]) : 0
}
