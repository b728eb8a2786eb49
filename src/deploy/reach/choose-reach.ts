import type { Settings } from '../../config/schema.ts'
import type { Reached } from '../../protocol/reach.ts'

/** What is known of one server's connection to the deploy host. */
export interface ReachFacts {
  /** Whether the server knows an address of the deploy host. */
  hasAddress: boolean
  /** How tracker and seeder were reached, if that was tried; undefined when the server did not answer in time. */
  words?: readonly Reached[] | undefined
}

/** How a server reaches tracker and seeder, and why. */
export type Way = { way: 'direct' } | { way: 'ssh'; why: Exclude<Reached, 'reached'> | 'unknown' | 'setting' }

/**
 * Stands in for the words of a server that did not answer in time. Such a server is slow rather than cut off, and connects directly,
 * unless all that answered are cut off. Then it goes the way that works for them.
 */
export function usualWords(answers: Iterable<readonly Reached[]>): readonly Reached[] | undefined {
  const [first, ...others] = answers
  const isCutOff = (words: readonly Reached[]) => words.some((word) => word !== 'reached')
  return first && [first, ...others].every(isCutOff) ? first : undefined
}

/** Without words it connects directly. */
export function chooseReach({ hasAddress, words = [] }: ReachFacts, setting: Settings['reach']): Way {
  if (setting === 'direct') return { way: 'direct' }
  if (setting === 'ssh') return { way: 'ssh', why: 'setting' }
  if (!hasAddress) return { way: 'ssh', why: 'unknown' }
  const why = words.find((word) => word !== 'reached')
  return why ? { way: 'ssh', why } : { way: 'direct' }
}
