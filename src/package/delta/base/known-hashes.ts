import { lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Entry } from '../../../files/entry.ts'
import { writeWhole } from '../../../files/write-whole.ts'

/**
 * A file that changed less than so long before it was read may change once more without a trace in its times: where the file system
 * keeps whole (milli)seconds, or two seconds as FAT does, and where its times go on with the kernel's ticks.
 */
const COARSE_RECENT_MS = 2000
const FINE_RECENT_MS = 100
const NS_PER_MS = 1_000_000n
const VERSION = 1

interface Known {
  /** Size, times and inode of the file. */
  identity: string
  sha256: string
  /** It had not been changed for a while when it was read. */
  isSettled: boolean
}

/**
 * SHA-256 of files as they were read last, by path. A file with the same size, mtime, ctime and inode is not read again: rsync trusts
 * size and mtime alone.
 */
export class KnownHashes {
  readonly #file: string | undefined
  readonly #last: ReadonlyMap<string, Known>
  readonly #trustsRecent: boolean
  readonly #next = new Map<string, Known>()
  #isNew = false

  /** `file`: where they are kept, undefined to keep none. `trustsRecent`: it was written a moment ago. */
  constructor(file?: string, { trustsRecent = false } = {}) {
    this.#file = file
    this.#trustsRecent = trustsRecent
    this.#last = file === undefined ? new Map() : read(file)
  }

  /** The hash of a file, which is computed where it is not known. */
  async of(root: string, entry: Entry, compute: () => Promise<string>): Promise<string> {
    const identity = this.#file === undefined ? undefined : identityOf(root, entry)
    if (!identity) return compute()
    const last = this.#last.get(entry.path)
    if (last?.identity === identity.text && (last.isSettled || this.#trustsRecent)) {
      this.#next.set(entry.path, last)
      return last.sha256
    }
    const isSettled = isSettledAt(Date.now(), identity.ctimeNs)
    const sha256 = await compute()
    this.#next.set(entry.path, { identity: identity.text, sha256, isSettled })
    this.#isNew = true
    return sha256
  }

  /** Keeps those that were asked for since. */
  write(): void {
    if (this.#file === undefined || (!this.#isNew && this.#next.size === this.#last.size)) return
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
    writeWhole(this.#file, JSON.stringify({ version: VERSION, files: [...this.#next] }), { mode: 0o600 })
  }
}

/** Undefined for what is no file as it was listed: reading it will say so. */
function identityOf(root: string, { path, source, size, mtime }: Entry) {
  const stats = lstatSync(source ?? join(root, path), { bigint: true, throwIfNoEntry: false })
  if (!stats?.isFile() || Number(stats.size) !== size || stats.mtimeNs !== mtime) return undefined
  const { ino, ctimeNs } = stats
  return { text: `${size} ${mtime} ${ctimeNs} ${ino}`, ctimeNs }
}

/** Whether a file that is read now can't change any more without a trace. */
export function isSettledAt(nowMs: number, ctimeNs: bigint): boolean {
  const recentMs = ctimeNs % NS_PER_MS === 0n ? COARSE_RECENT_MS : FINE_RECENT_MS
  return Number(ctimeNs / NS_PER_MS) < nowMs - recentMs
}

function read(file: string): Map<string, Known> {
  try {
    const { version, files } = JSON.parse(readFileSync(file, 'utf8'))
    return new Map(version === VERSION ? files : [])
  } catch {
    return new Map() // There is none, or it is of no use: all is read once more.
  }
}
