import { MurderError } from '../../../errors.ts'
import { type Entry, shown } from '../../../files/entry.ts'
import { KnownHashes } from '../../../package/delta/base/known-hashes.ts'
import { manifestOfDirectory } from '../../../package/delta/base/manifest-of-directory.ts'
import { type Delivered, isSameEntry } from '../../../package/delta/format/manifest.ts'
import type { Context } from '../../context/context.ts'
import { shipitCommand } from '../../context/shipit-command.ts'
import { basesDirectory, hashesFile } from '../../paths/local-paths.ts'

/** Git's own files have other bytes in every clone of the same commit. */
const OF_GIT = /(^|\/)\.git(\/|$)/

/** A retry must deploy what the other servers have under that name; only times may differ. Throws RETRY_CHANGED. */
export async function assertSameContent(
  { again, shipit, signal }: Pick<Context, 'again' | 'shipit' | 'signal'>,
  root: string,
  entries: readonly Entry[],
): Promise<void> {
  if (!again) return
  if (!again.delivered) {
    shipit.log(`The files of ${again.release} cannot be compared, no server notes what was delivered`)
    return
  }
  const known = new KnownHashes(hashesFile(basesDirectory(shipit.environment)))
  const ofFiles = entries.filter(isOfRelease)
  const now = (await manifestOfDirectory(root, ofFiles, signal, known)).entries
  const changed = changedPaths(again.delivered.entries.filter(isOfRelease), now)
  if (changed.length === 0) return
  const [first = '', ...more] = changed
  const others = more.length > 0 ? `, and ${more.length} more` : ''
  throw new MurderError(
    'RETRY_CHANGED',
    `The files have changed since ${again.release} was made of them: ${shown(first)}${others}`,
    { cure: `deploy to all servers instead: ${shipitCommand(shipit.environment, 'deploy')}` },
  )
}

const isOfRelease = ({ path }: Entry) => !OF_GIT.test(path)

/** Paths that only one of the two has, or that are not the same in both. */
function changedPaths(before: readonly Delivered[], now: readonly Delivered[]): string[] {
  const left = new Map(before.map((entry) => [entry.path, entry]))
  const changed = now.filter((entry) => {
    const was = left.get(entry.path)
    left.delete(entry.path)
    return !isSameEntry(entry, was)
  })
  return [...changed.map(({ path }) => path), ...left.keys()]
}
