import type { ServerFacts } from '../scripts/facts-script.ts'

export type Delivered = Pick<ServerFacts, 'base' | 'currentRelease' | 'staged'>

/** A release that a server has, and the id of what was delivered as it. */
export interface Base {
  release: string
  id: string
}

/**
 * The releases from which a server can make a new one: the staged release and the live one. `deltas: false` leaves only the
 * first.
 */
export function basesOf({ base, currentRelease, staged }: Delivered, { deltas = true } = {}): Base[] {
  const bases: Base[] = []
  if (staged?.base !== undefined) bases.push({ release: staged.release, id: staged.base })
  const isOther = base !== staged?.base
  if (deltas && isOther && base !== undefined && currentRelease !== undefined)
    bases.push({ release: currentRelease, id: base })
  return bases
}

/** The release on a server that was delivered under this id. */
export const releaseOf = (facts: Delivered | undefined, id: string): string | undefined =>
  facts && basesOf(facts).find((base) => base.id === id)?.release

/** Whether the staged release there has this id. */
export const isStaged = (facts: Delivered | undefined, id: string): boolean => facts?.staged?.base === id
