import { bytes } from '../../text/format.ts'
import type { Transfer } from './transfer.ts'

type Told = Pick<Transfer, 'length' | 'compression' | 'base'>

/** What one server gets. `isStaged`: whether the release with this id is staged there. */
export const getsText = ({ length, base }: Told, isStaged: (id: string) => boolean = () => false): string =>
  base?.unchanged
    ? `nothing: it is ${isStaged(base.id) ? 'staged' : 'the same'}`
    : base
      ? `a delta of ${bytes(length)}`
      : 'the package'

/** How many servers would get what. `each`: the transfer of each server. */
export function travelsText(each: readonly Told[], from: string): string {
  const counts = new Map<Told, number>()
  for (const one of each) counts.set(one, (counts.get(one) ?? 0) + 1)
  const changed = [...counts].filter(([{ base }]) => !base?.unchanged).sort(([a], [b]) => b.length - a.length)
  const same = each.filter(({ base }) => base?.unchanged).length
  const parts = changed.map(([one, count], index) => {
    const size = `${bytes(one.length)} (${one.base ? 'a delta' : one.compression})`
    return `${size} ${index === 0 ? `would go from ${from} ` : ''}to ${servers(count)}`
  })
  if (same > 0)
    parts.push(
      `nothing ${changed.length === 0 ? 'would go ' : ''}to ${servers(same)}, which ${same === 1 ? 'has' : 'have'} the same`,
    )
  return parts.join(', ')
}

const servers = (count: number): string => `${count} ${count === 1 ? 'server' : 'servers'}`
