import { distance } from 'fastest-levenshtein'
import { nameSome } from '../text/format.ts'

/** A fleet may be large. */
const MAX_NAMES = 10

const plain = (name: string) => name.toLowerCase().replace(/[^a-z\d]/g, '')

/** The words of `trackerPort`, `tracker.port` or `PORT_TRACKER`, in alphabetical order. */
const sorted = (name: string) => (name.match(/[A-Z]?[a-z\d]+|[A-Z\d]+/g) ?? []).map(plain).sort().join('')

function steps(name: string, candidate: string): number {
  const [short, long] = [plain(name), plain(candidate)]
  if (short === long) return 0
  if (short.length > 1 && long.startsWith(short)) return 1
  const apart = Math.min(distance(short, long), distance(sorted(name), sorted(candidate)))
  return apart === 2 && letters(short) === letters(long) ? 1 : apart
}

/** Two letters that are swapped are one mistake. */
const letters = (text: string) => [...text].sort().join('')

/**
 * The candidate that `name` most likely means, or undefined when none is near. Case, the order of words and the signs between
 * them don't matter. Of equally near candidates the first one is taken.
 */
export function suggest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let nearest = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const distant = steps(name, candidate)
    const longer = Math.max(plain(name).length, plain(candidate).length)
    const allowed = Math.min(5, Math.max(1, Math.floor(longer / 2)))
    if (distant <= allowed && distant < nearest) [best, nearest] = [candidate, distant]
  }
  return best
}

/** The end of a line that refuses a name: the name that was probably meant, and the names that exist. */
export function whatIsAllowed(name: string, known: readonly string[]): string {
  const meant = suggest(name, known)
  const hint = meant === undefined ? '' : `did you mean ${meant}? `
  return `${hint}allowed: ${nameSome(known, MAX_NAMES)}`
}

/** A line that refuses a name in a setting. `what`: why, as in "is not in servers". */
export const refusedName = (setting: string, name: string, what: string, known: readonly string[]): string =>
  `${setting} has ${JSON.stringify(name)}, which ${what}: ${whatIsAllowed(name, known)}`

/** Whether both are the same name, written differently. */
export const sameName = (one: string, other: string): boolean => sorted(one) === sorted(other)
