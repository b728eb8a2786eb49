import { tmpdir } from 'node:os'
import { resolve, sep } from 'node:path'
import { MANIFEST } from '../../attributes/entry.ts'
import { readCopyOptions } from '../../config/copy/copy-options.ts'
import { MurderError } from '../../errors.ts'
import type { Entry } from '../../files/entry.ts'
import { gitIgnore } from '../../package/pack/excludes.ts'
import { OTHER_DIRECTORY } from '../../system/temporary-directory.ts'
import { bytes } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { OWN_DIRECTORY } from '../paths/local-paths.ts'
import { directoryTransfer } from './directory-transfer.ts'
import { planPackage } from './package-transfer.ts'
import { extentOf, type PackageSpec, type Transfer } from './transfer.ts'
import type { MakeOptions, PlannedPackage } from './whole-package.ts'
import { releaseEntries } from './workspace/release-entries.ts'

/** The directory that is deployed, as shipit-deploy chooses it. Throws WORKSPACE_MISSING. */
export function sourceDirectory({ shipit }: Pick<TaskContext, 'shipit'>): string {
  const { rsyncFrom, dirToCopy = '', workspace } = shipit.config
  const root = rsyncFrom ?? shipit.workspace ?? workspace
  if (root !== undefined && root !== '') return resolve(root, dirToCopy)
  throw new MurderError('WORKSPACE_MISSING', 'There is no workspace to package', {
    cure: 'set "workspace" in the shipitfile, or run deploy:fetch first',
    exitCode: 2,
  })
}

type Spec = Omit<PackageSpec, 'root' | 'entries'> & { root?: string }

/** Makes a directory ready to travel, as `planTransfer` says. */
export function makeTransfer(context: TaskContext, spec: Spec): Promise<Transfer> {
  return planTransfer(context, spec).make({ onProgress: packageProgress(context) })
}

/** Shows how far the package is. */
export function packageProgress({
  display,
}: Pick<TaskContext, 'display'>): (bytes: number, total: number) => void {
  return (bytes, total) => display.board().step('package', { bytes, total })
}

/**
 * Plans how a directory travels, as the settings say: without ignored files and without this plugin's own. `root` is the
 * deployed one unless given.
 */
export function planTransfer(context: TaskContext, spec: Spec): PlannedPackage {
  const { settings, shipit } = context
  const isPackage = settings.package === 'file'
  const { copy } = readCopyOptions(shipit.config)
  const { root, entries } = releaseEntries(spec.root ?? sourceDirectory(context), copy, [
    gitIgnore(isPackage ? settings.ignore : [...settings.ignore, `/${MANIFEST}`]),
    gitIgnore([OWN_DIRECTORY]),
  ])
  const board = context.display.board()
  const history = gitBytes(entries)
  if (history > 0) board.log(`.git is ${bytes(history)} of the release; ignores: ['.git'] leaves it out`)
  board.step('package')
  spec.onScanned?.(root, entries)
  const all = { ...spec, root, entries }
  const contentBytes = entries.reduce((sum, { size }) => sum + size, 0)
  const asItIs = { compression: 'none', estimatedBytes: contentBytes } as const
  const planned = isPackage
    ? planPackage(context, all)
    : { ...asItIs, make: (options?: MakeOptions) => directoryTransfer(context, all, options) }
  return {
    ...planned,
    tag: spec.tag,
    extent: extentOf(entries),
    contentBytes,
    async make(options) {
      try {
        return await planned.make(options)
      } catch (error) {
        throw inTemporaryDirectory(error, spec.directory)
      }
    },
  }
}

/** Bytes of the repository's history, which shipit-deploy also deploys unless it is ignored. */
const gitBytes = (entries: readonly Entry[]) =>
  entries.reduce((sum, { path, size }) => sum + (/^([^/]+\/)?\.git\//.test(path) ? size : 0), 0)

/** Adds a cure to a full-disk error when the package is among temporary files: another directory can be named. */
export function inTemporaryDirectory(error: unknown, directory: string): unknown {
  if (!(error instanceof MurderError) || error.code !== 'DISK_FULL') return error
  if (!directory.startsWith(`${tmpdir()}${sep}`)) return error
  return new MurderError(error.code, error.message, { cure: OTHER_DIRECTORY, cause: error })
}
