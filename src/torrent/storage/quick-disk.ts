import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'

/** Bytes: what is longer is left to the thread pool, because it would hold up the network. */
const LONGEST = 1024 * 1024
/** Files are opened here only for as much as this; for more the way through the thread pool does not matter. */
const SMALL = 256 * 1024
/** A disk that made anything short wait for longer than this (ms) is left to the thread pool for a while (ms). */
const SLOW = 50
const SLOW_PAUSE = 1000

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_WRONLY } = constants
/** Not on Windows. */
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0

/**
 * Short work on a disk, done at once as long as the disk is quick about it: in the system's cache a small file takes 20 µs
 * to open, use and close, and several times that on the way through the thread pool. Each method says whether it has
 * done it all; when not, the caller does it again in its own way, which also tells what is wrong.
 */
export class QuickDisk {
  #slowUntil = 0

  /** Fills `into` from `at` on. */
  read(path: string, into: Buffer, at: number, follow: boolean): boolean {
    if (into.length > SMALL) return false
    return this.#attempt(() =>
      withFile(
        path,
        O_RDONLY | (follow ? 0 : O_NOFOLLOW),
        0,
        (fd) => readSync(fd, into, 0, into.length, at) === into.length,
      ),
    )
  }

  /** Writes into `fd`, or, without one, into a small part of a file that has only this one name. */
  write(path: string, fd: number | undefined, bytes: Uint8Array, at: number): boolean {
    if (bytes.length > (fd === undefined ? SMALL : LONGEST)) return false
    const writeTo = (fd: number) => writeSync(fd, bytes, 0, bytes.length, at) === bytes.length
    return this.#attempt(() =>
      fd === undefined
        ? withFile(path, O_RDWR | O_NOFOLLOW, 0, (own) => fstatSync(own).nlink === 1 && writeTo(own))
        : writeTo(fd),
    )
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
    const started = performance.now()
    if (started < this.#slowUntil) return false
    try {
      return work()
    } catch {
      return false
    } finally {
      const now = performance.now()
      if (now - started > SLOW) this.#slowUntil = now + SLOW_PAUSE
    }
  }
}

function withFile(path: string, flags: number, mode: number, work: (fd: number) => boolean): boolean {
  const fd = openSync(path, flags, mode)
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}
