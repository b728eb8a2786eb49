import type { Groups, Share } from '../kinds/rollout.ts'

/** A share of `total` servers as their number, rounded up. */
export const countOf = (share: Share, total: number): number =>
  typeof share === 'number' ? share : Math.ceil((total * Number.parseFloat(share)) / 100)

interface Totals {
  /** How many servers take part. */
  taking: number
  /** How many the shipitfile names. */
  named: number
}

/**
 * A line when these counts do not lead from none to all servers. A choice for one run (`only` and the like) makes no groups wrong:
 * what is more than there are is then all, and what does not grow any more is left out. `name`: the setting as the user wrote it.
 */
export function groupsProblem(groups: Groups, { taking, named }: Totals, name: string): string[] {
  if (typeof groups === 'string' || taking === 0) return []
  const wrong = (why: string) => [`${name} is ${groups.join(', ')}, which does not add up: ${why}`]
  const counts = groups.map((share) => countOf(share, named))
  const tooMany = groups.find((_, index) => (counts[index] as number) > named)
  if (tooMany !== undefined) return wrong(`there are ${named} servers, not ${tooMany}: let it end in '100%'`)
  const at = groups.findIndex((share, index) => index > 0 && !grows(groups[index - 1] as Share, share, named))
  if (at > 0)
    return wrong(
      `${groups[at]} of ${named} servers is not more than ${groups[at - 1]}: allowed: numbers that grow`,
    )
  const last = countOf(groups.at(-1) as Share, taking)
  if (last >= taking) return []
  return wrong(`${last} of ${taking} servers are done after the last group: let it end in '100%'`)
}

/** In a small fleet, a share and a number may be as many servers. */
const grows = (one: Share, next: Share, total: number): boolean =>
  typeof one === typeof next
    ? Number.parseFloat(String(next)) > Number.parseFloat(String(one))
    : countOf(next, total) >= countOf(one, total)
