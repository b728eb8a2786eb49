import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs'

/** Longer work is left to the thread pool, because it would hold up the network. */
const MAX_BYTES = 1024 * 1024
/** Files are opened here only for at most so many bytes. For more, the time in the thread pool does not matter. */
const MAX_BYTES_WITH_OPEN = 256 * 1024
/** If a call takes longer than this, the disk is slow, and for a while everything is left to the thread pool. */
const SLOW_CALL_MS = 50
const SLOW_PAUSE_MS = 1000

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_WRONLY } = constants
/** Windows does not have it. */
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0

/**
 * Short synchronous work on a disk, as long as the disk is quick. A small file in the system's cache takes 20 µs to open, use and
 * close; through the thread pool it takes several times as long. Each method returns whether it has done everything. If not, the
 * caller must repeat it through the thread pool, which reports any error.
 */
export class QuickDisk {
  #slowUntilMs = 0

  /** Fills `into` from `at` on. */
  read(path: string, into: Buffer, at: number, follow: boolean): boolean {
    if (into.length > MAX_BYTES_WITH_OPEN) return false
    return this.#attempt(() =>
      withFile(
        path,
        O_RDONLY | (follow ? 0 : O_NOFOLLOW),
        0,
        (fd) => readSync(fd, into, 0, into.length, at) === into.length,
      ),
    )
  }

  /** Writes into `fd`. Without `fd`, writes a few bytes into the file, if it has no other name (hard link). */
  write(path: string, fd: number | undefined, bytes: Uint8Array, at: number): boolean {
    if (bytes.length > (fd === undefined ? MAX_BYTES_WITH_OPEN : MAX_BYTES)) return false
    const writeTo = (fd: number) => writeSync(fd, bytes, 0, bytes.length, at) === bytes.length
    return this.#attempt(() =>
      fd === undefined
        ? withFile(path, O_RDWR | O_NOFOLLOW, 0, (own) => fstatSync(own).nlink === 1 && writeTo(own))
        : writeTo(fd),
    )
  }

  /** Whether a file still has the same time and length. */
  isAsBefore(path: string, was: Stats): boolean {
    return this.#attempt(() => isAsBefore(statSync(path), was))
  }

  /** Makes a new file of this length. */
  make(path: string, length: number, mode: number): boolean {
    return this.#attempt(() =>
      withFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, (fd) => {
        try {
          ftruncateSync(fd, length)
        } catch (error) {
          rmSync(path)
          throw error
        }
        return true
      }),
    )
  }

  #attempt(work: () => boolean): boolean {
    const startedMs = performance.now()
    if (startedMs < this.#slowUntilMs) return false
    try {
      return work()
    } catch {
      return false
    } finally {
      const nowMs = performance.now()
      if (nowMs - startedMs > SLOW_CALL_MS) this.#slowUntilMs = nowMs + SLOW_PAUSE_MS
    }
  }
}

export const isAsBefore = (now: Stats, was: Stats) => now.size === was.size && now.mtimeMs === was.mtimeMs

function withFile(path: string, flags: number, mode: number, work: (fd: number) => boolean): boolean {
  const fd = openSync(path, flags, mode)
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}
