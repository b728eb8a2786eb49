import { posix } from 'node:path'
import { readCopyOptions } from '../../config/copy/copy-options.ts'
import type { CarryOrder } from '../../protocol/order.ts'
import { defined } from '../../system/defined.ts'
import type { TaskContext } from '../context/context.ts'
import { deployToOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'
import type { Extent } from '../transfer/transfer.ts'

/**
 * The files that a new release keeps from the `current` one. shipit-deploy copies the current release and lets rsync make it
 * equal to the source, so this is all that rsync would not delete. Undefined when nothing is kept.
 */
export function carryOrder(
  { settings, shipit }: Pick<TaskContext, 'settings' | 'shipit'>,
  current: string | undefined,
  { top }: Pick<Extent, 'top'>,
  deployTo = deployToOf(shipit),
): CarryOrder | undefined {
  if (current === undefined || shipit.config.copy === false) return undefined
  const { deletes, filter, asDirectory } = readCopyOptions(shipit.config).copy
  if (deletes === 'all' && !asDirectory) return undefined
  return {
    from: posix.join(releasesPath(deployTo), current),
    ...(deletes === 'all' ? { filter: [], ignore: [] } : { filter, ignore: settings.ignore }),
    ...defined({
      everything: deletes === 'none' || undefined,
      within: asDirectory ? top : undefined,
    }),
  }
}
