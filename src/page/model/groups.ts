import { byName, kindOf } from './names.ts'

/** Servers that a drawing shows as one. */
export interface Group {
  name: string
  /** Places of the servers in the picture. */
  members: number[]
}

/** More would be a tangle. */
export const MAX_GROUPS = 24
/** A large fleet is drawn with at least so many groups, so that there is something to see. */
const MIN_GROUPS = 12

/**
 * The fleet in at most `MAX_GROUPS` groups. A small fleet is one server each; a large one is grouped by kinds of names. Kinds
 * that are too large are split, and the smallest are merged. `shorts` are the names to show.
 */
export function groupsOf(
  labels: readonly string[],
  shorts: readonly string[],
  among: readonly number[] = labels.map((_, place) => place),
): Group[] {
  const label = (place: number) => labels[place] ?? ''
  const sorted = [...among].sort((one, other) => byName(label(one), label(other)))
  const named = (members: number[], rest = ''): Group => ({ name: nameOf(members, shorts, rest), members })
  if (sorted.length <= MAX_GROUPS) return sorted.map((place) => named([place]))
  const kinds = new Map<string, number[]>()
  for (const place of sorted) {
    const kind = kindOf(label(place))
    kinds.set(kind, [...(kinds.get(kind) ?? []), place])
  }
  const parts = [...kinds.values()].sort((one, other) => other.length - one.length)
  const rest = parts.splice(MAX_GROUPS - 1).flat()
  while (parts.length < MIN_GROUPS) {
    const most = parts.reduce((largest, part) => (part.length > largest.length ? part : largest))
    if (most.length < 2) break
    const half = Math.ceil(most.length / 2)
    parts.splice(parts.indexOf(most), 1, most.slice(0, half), most.slice(half))
  }
  const groups = parts.map((members) => named(members)).sort((one, other) => byName(one.name, other.name))
  return rest.length > 0 ? [...groups, named(rest, 'others')] : groups
}

/** `web1–12.fra` where only the number differs, else `10.0.0.1 +7`. */
function nameOf(members: readonly number[], shorts: readonly string[], rest: string): string {
  const [first, last] = [shorts[members[0] ?? 0] ?? '', shorts[members.at(-1) ?? 0] ?? '']
  if (rest !== '' || members.length === 1) return rest || first
  const [one, other] = [first, last].map((name) => /^(\D*)(\d+)(.*)$/s.exec(name))
  if (!one || !other || one[1] !== other[1] || one[3] !== other[3]) return `${first} +${members.length - 1}`
  return `${one[1]}${one[2]}–${other[2]}${one[3]}`
}
