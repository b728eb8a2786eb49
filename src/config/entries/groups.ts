import type { Groups, Share } from '../kinds/rollout.ts'

/** A share of `total` servers as their number, rounded up. */
export const countOf = (share: Share, total: number): number =>
  typeof share === 'number' ? share : Math.ceil((total * Number.parseFloat(share)) / 100)

/** A line when these counts do not lead from none to all of `total` servers. `name`: the setting as the user wrote it. */
export function groupsProblem(groups: Groups, total: number, name: string): string[] {
  if (typeof groups === 'string' || total === 0) return []
  const counts = groups.map((share) => countOf(share, total))
  const at = counts.findIndex((count, index) => count < (counts[index - 1] ?? 0))
  const shown = groups.join(', ')
  if (at > 0)
    return [
      `${name} is ${shown}, which does not add up: of ${total} servers ${counts[at]} cannot be done after ${counts[at - 1]}: allowed: numbers that grow`,
    ]
  if ((counts.at(-1) ?? 0) >= total) return []
  return [
    `${name} is ${shown}, which does not add up: ${counts.at(-1)} of ${total} servers are done after the last group: let it end in '100%'`,
  ]
}
