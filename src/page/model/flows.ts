import type { Group } from './groups.ts'
import type { ServerPicture } from './picture.ts'

/** Traffic from one group to another: places in the list of groups, or the seeder. Inside a group, `from` is `to`. */
export interface Flow {
  from: number | 'seeder'
  to: number
  /** Bytes so far, and bytes a second now. */
  bytes: number
  rate: number
}

/** More lines could not be told apart. The seeder's lines are always shown. */
const MAX_PEER_FLOWS = 48

/**
 * Which server sends to which, the largest flow first. `by`: the rate now or all bytes. Servers outside all groups are left out.
 */
export function flowsBetween(
  servers: readonly ServerPicture[],
  groups: readonly Group[],
  by: 'rate' | 'bytes',
): Flow[] {
  const groupOf = new Int32Array(servers.length).fill(-1)
  for (const [at, { members }] of groups.entries()) for (const place of members) groupOf[place] = at
  const flows = new Map<number, Flow>()
  for (const [place, { from }] of servers.entries()) {
    const to = groupOf[place] ?? -1
    if (to < 0) continue
    for (const [source, bytes, rate] of from) {
      const sender = source === 'seeder' ? groups.length : (groupOf[source] ?? -1)
      if (sender < 0) continue
      const key = sender * groups.length + to
      const flow = flows.get(key) ?? {
        from: sender === groups.length ? 'seeder' : sender,
        to,
        bytes: 0,
        rate: 0,
      }
      flow.bytes += bytes
      flow.rate += rate
      flows.set(key, flow)
    }
  }
  const sorted = [...flows.values()].filter((flow) => flow[by] > 0).sort((one, other) => other[by] - one[by])
  const ofPeers = sorted.filter(({ from }) => from !== 'seeder').slice(0, MAX_PEER_FLOWS)
  return sorted.filter((flow) => flow.from === 'seeder' || ofPeers.includes(flow))
}
