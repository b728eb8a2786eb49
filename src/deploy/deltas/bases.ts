import type { ServerFacts } from '../scripts/facts-script.ts'

export type Delivered = Pick<ServerFacts, 'base' | 'currentRelease' | 'staged'>

/** A release that a server has, and the id of what was delivered as it. */
export interface Base {
  release: string
  id: string
}

/** What a new release can be made of on a server: the staged release, and the live one. `deltas: false` leaves only the first. */
export function basesOf({ base, currentRelease, staged }: Delivered, { deltas = true } = {}): Base[] {
  const bases: Base[] = []
  if (staged?.base !== undefined) bases.push({ release: staged.release, id: staged.base })
  const isOther = base !== staged?.base
  if (deltas && isOther && base !== undefined && currentRelease !== undefined)
    bases.push({ release: currentRelease, id: base })
  return bases
}

/** The release of a server that was delivered as this. */
export const releaseOf = (facts: Delivered | undefined, id: string): string | undefined =>
  facts && basesOf(facts).find((base) => base.id === id)?.release

/** Whether that is what waits to be published there. */
export const isStaged = (facts: Delivered | undefined, id: string): boolean => facts?.staged?.base === id
