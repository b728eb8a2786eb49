import type { Reached } from '../../protocol/reach.ts'

/**
 * What servers say of the ways to this machine. Where all `asked` handshakes have come here, nothing on the way drops them: a server
 * that had no answer in time got it late, because this machine was busy.
 */
export function withLateAnswers<Key>(
  words: ReadonlyMap<Key, readonly Reached[]>,
  { asked, heard }: { asked: number; heard: number },
): ReadonlyMap<Key, readonly Reached[]> {
  if (heard < asked) return words
  const late = (word: Reached): Reached => (word === 'mute' ? 'reached' : word)
  return new Map([...words].map(([key, each]) => [key, each.map(late)]))
}
