import { lutimesSync, utimesSync } from 'node:fs'

/**
 * The nearest time that Node can set: it takes seconds as a double, which near today are 0.24 µs apart. Never rounded
 * up into the next second, which is what rsync and make compare. Before 1970 Node takes a Date only (ms).
 */
export function settable(mtime: bigint): number | Date {
  if (mtime < 0n) return new Date(Number(mtime / 1_000_000n - (mtime % 1_000_000n < 0n ? 1n : 0n)))
  const seconds = Number(mtime / 1_000_000_000n)
  const nanoseconds = Number(mtime % 1_000_000_000n)
  return Math.min(seconds + nanoseconds / 1e9, seconds + 1 - 2 ** -20)
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
