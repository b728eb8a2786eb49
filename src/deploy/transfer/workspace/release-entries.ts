import { basename, dirname } from 'node:path'
import type { CopyOptions } from '../../../config/copy/copy-options.ts'
import type { Entry } from '../../../files/entry.ts'
import { changeMode } from '../../../package/pack/chmod.ts'
import { below, type Excludes } from '../../../package/pack/excludes.ts'
import { rsyncFilter } from '../../../package/pack/rsync-filter.ts'
import { scan } from '../../../package/pack/scan.ts'

/** The permissions that servers usually take from new files. */
const UMASK = 0o022
/** Mode of a release directory that shipit-deploy makes and rsync leaves as it is. */
const DIRECTORY_MODE = 0o755

/**
 * What rsync, called as shipit-deploy does, would copy from `source` into a release: entries with paths below `root`. `excludes`
 * get paths relative to `source`.
 */
export function releaseEntries(
  source: string,
  { asDirectory, copyLinks, filter, ...modes }: CopyOptions,
  excludes: readonly Excludes[],
): { root: string; entries: Entry[] } {
  const isOut = rsyncFilter(filter)
  if (!asDirectory) {
    const entries = scan(source, { excludes: [isOut, ...excludes], followLinks: copyLinks })
    return { root: source, entries: entries.map((entry) => withModes(entry, modes)) }
  }
  const [root, only] = [dirname(source), basename(source)]
  const inside = excludes.map((exclude) => below(only, exclude))
  const entries = scan(root, { excludes: [isOut, ...inside], followLinks: copyLinks, only })
  return {
    root,
    entries: entries.map((entry) =>
      entry.path === '.' ? { ...entry, mode: DIRECTORY_MODE } : withModes(entry, modes),
    ),
  }
}

function withModes(
  entry: Entry,
  { keepsModes, modeChanges }: Pick<CopyOptions, 'keepsModes' | 'modeChanges'>,
): Entry {
  if (entry.type === 'symlink') return entry
  if (!keepsModes && entry.path === '.') return { ...entry, mode: DIRECTORY_MODE }
  const mode = changeMode(entry.mode, entry.type === 'directory', modeChanges)
  return { ...entry, mode: keepsModes ? mode : mode & 0o777 & ~UMASK }
}
