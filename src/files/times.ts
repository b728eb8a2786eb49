import { lutimesSync, utimesSync } from 'node:fs'

/**
 * The nearest time that Node can set, right to the microsecond. Node takes seconds as a double, which today are 0.24 µs
 * apart; up to Node 22 it then cuts to whole microseconds, from 24 on it keeps nanoseconds. So a time is moved away from
 * the edges of its microsecond, which it would cross half of the time: by `edge` nanoseconds, more than half the distance of
 * two doubles, which doubles in 2038 and is good until 2106. Before 1970 Node takes a Date only (ms).
 */
export function settable(mtime: bigint): number | Date {
  if (mtime < 0n) return new Date(Number(mtime / 1_000_000n - (mtime % 1_000_000n < 0n ? 1n : 0n)))
  const seconds = Number(mtime / 1_000_000_000n)
  const nanoseconds = Number(mtime % 1_000_000_000n)
  if (nanoseconds === 0) return seconds
  const within = nanoseconds % 1000
  const edge = seconds < 2 ** 31 ? 130 : 250
  return seconds + (nanoseconds - within + Math.min(Math.max(within, edge), 1000 - edge)) / 1e9
}

/** Sets the access time to the modification time too: there is no other that would mean anything. */
export function setTimes(path: string, mtime: bigint): void {
  const time = settable(mtime)
  utimesSync(path, time, time)
}

/** The same for a symlink itself. */
export function setLinkTimes(path: string, mtime: bigint): void {
  const time = settable(mtime)
  lutimesSync(path, time, time)
}
