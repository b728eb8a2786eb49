import { lutimesSync, utimesSync } from 'node:fs'

export const NS_PER_S = 1_000_000_000n

/** Whole seconds, rounded down, and the nanoseconds after them, which are never negative. */
export function splitTime(mtime: bigint): { seconds: bigint; nanoseconds: bigint } {
  const nanoseconds = ((mtime % NS_PER_S) + NS_PER_S) % NS_PER_S
  return { seconds: (mtime - nanoseconds) / NS_PER_S, nanoseconds }
}

/**
 * The nearest time that Node can set, exact to the microsecond. Node takes seconds as a double. Doubles of today's times are
 * 0.24 µs apart, and up to Node 22 Node then cuts them to whole microseconds (from 24 on it keeps nanoseconds): half of all
 * times would fall into the microsecond before. So a time is moved away from the edges of its microsecond by `edge`
 * nanoseconds, which is more than half the distance of two doubles. That distance doubles in 2038; `edge` is good until 2106.
 * Before 1970 Node takes only a Date (ms).
 */
export function settable(mtime: bigint): number | Date {
  if (mtime < 0n) return new Date(Number(mtime / 1_000_000n - (mtime % 1_000_000n < 0n ? 1n : 0n)))
  const seconds = Number(mtime / NS_PER_S)
  const nanoseconds = Number(mtime % NS_PER_S)
  if (nanoseconds === 0) return seconds
  const within = nanoseconds % 1000
  const edge = seconds < 2 ** 31 ? 130 : 250
  return seconds + (nanoseconds - within + Math.min(Math.max(within, edge), 1000 - edge)) / 1e9
}

/** Sets the modification time, and the access time to the same, as no better value is known. */
export function setTimes(path: string, mtime: bigint): void {
  const time = settable(mtime)
  utimesSync(path, time, time)
}

/** The same for a symlink itself. */
export function setLinkTimes(path: string, mtime: bigint): void {
  const time = settable(mtime)
  lutimesSync(path, time, time)
}
