import { resolve } from 'node:path'
import { readIgnores } from '../config/index.ts'
import { MurderError } from '../errors.ts'
import { gitIgnore } from '../package/excludes.ts'
import { rsyncFilter } from '../package/rsync-filter.ts'
import type { Context } from './context.ts'
import { directoryTransfer } from './directory-transfer.ts'
import { makePackage } from './make-package.ts'
import type { PackageWish, Transfer } from './transfer.ts'

/** The directory that is deployed, as shipit-deploy chooses it. Throws WORKSPACE_MISSING. */
export function sourceDirectory({ shipit }: Context): string {
  const { rsyncFrom, dirToCopy = '', workspace } = shipit.config
  const root = rsyncFrom ?? shipit.workspace ?? workspace
  if (root !== undefined && root !== '') return resolve(root, dirToCopy)
  throw new MurderError('WORKSPACE_MISSING', 'There is no workspace to package', {
    cure: 'set "workspace" in the shipitfile, or run deploy:fetch first',
    exitCode: 2,
  })
}

/**
 * Makes a directory, the deployed one unless told otherwise, ready to travel as the settings want it. What they
 * ignore is left out.
 */
export function makeTransfer(
  context: Context,
  wish: Omit<PackageWish, 'root' | 'excludes'> & Partial<PackageWish>,
): Promise<Transfer> {
  const { settings, shipit } = context
  const root = wish.root ?? sourceDirectory(context)
  const ignores = rsyncFilter(readIgnores(shipit.config.ignores).options)
  const excludes = [ignores, gitIgnore(settings.ignore), ...(wish.excludes ?? [])]
  const make = settings.package === 'directory' ? directoryTransfer : makePackage
  context.board().step('package')
  return make(context, { ...wish, root, excludes })
}
