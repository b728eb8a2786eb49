import { join } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import { MurderError, reason } from '../../errors.ts'
import { type Entry, pathFault, shown } from '../../files/entry.ts'
import { stopIfAborted } from '../../files/file-errors.ts'
import { sha256OfFile } from '../../files/hash.ts'
import { refused } from '../format/archive-entry.ts'
import type { Destination } from './destination.ts'

/** After so many entries, timers and signals get their turn. */
const ENTRIES_PER_TURN = 200

/**
 * Makes a release from files that were fetched to `from` one by one. Each gets a hard link in the release. It is copied only when
 * the two are on different file systems, or new files get another group or ACL there. Each file's SHA-256 is checked.
 *
 * Throws PACKAGE_WRONG for a file with a different SHA-256, PACKAGE_MISSING, and what a Destination throws.
 */
export async function adoptInto(
  destination: Destination,
  { from, entries, signal }: { from: string; entries: (Entry & { sha256?: string })[]; signal?: AbortSignal },
): Promise<{ files: number; bytes: number }> {
  const count = { files: 0, bytes: 0 }
  for (const [index, entry] of entries.entries()) {
    stopIfAborted(signal)
    if (index % ENTRIES_PER_TURN === 0) await breath()
    if (entry.type === 'directory') destination.directory(entry)
    if (entry.type === 'symlink') destination.symlink(entry)
    if (entry.type !== 'file') continue
    const fault = pathFault(entry.path)
    if (fault !== undefined) throw refused(entry.path, fault)
    const source = join(from, entry.path)
    await checkHash(source, entry)
    await destination.adopt(entry, source)
    count.files++
    count.bytes += entry.size
  }
  return count
}

async function checkHash(source: string, { path, sha256 }: Entry & { sha256?: string }): Promise<void> {
  if ((await hashFetched(source)) === sha256) return
  throw new MurderError('PACKAGE_WRONG', `${shown(path)} is not what was sent: its SHA-256 differs`, {
    cure: 'deploy again; if it happens twice, check the disk and memory of this server',
  })
}

async function hashFetched(source: string): Promise<string> {
  try {
    return await sha256OfFile(source)
  } catch (cause) {
    throw new MurderError('PACKAGE_MISSING', `cannot read ${source}: ${reason(cause)}`, {
      cure: 'deploy again',
      cause,
    })
  }
}
