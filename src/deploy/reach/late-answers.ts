import type { Reached } from '../../protocol/reach.ts'

/** Servers wait 2.5 s for an answer: two turns of our event loop that are so long may take it all. */
const MIN_BUSY_S = 0.5

/** What happened here while servers tried to reach this machine. */
export interface Listened {
  /** Handshakes that were asked for, and that came. */
  asked: number
  heard: number
  /** The longest time in which this process did nothing else. */
  busyS: number
}

/**
 * What servers say of the ways to this machine. If it was busy and yet all handshakes came, a server without an answer in time got
 * it late. If it was not busy, something on the way drops handshakes, or our answers.
 */
export function withLateAnswers<Key>(
  words: ReadonlyMap<Key, readonly Reached[]>,
  { asked, heard, busyS }: Listened,
): ReadonlyMap<Key, readonly Reached[]> {
  if (heard < asked || busyS < MIN_BUSY_S) return words
  const late = (word: Reached): Reached => (word === 'mute' ? 'reached' : word)
  return new Map([...words].map(([key, each]) => [key, each.map(late)]))
}
