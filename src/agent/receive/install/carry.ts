import { reason } from '../../../errors.ts'
import { below, type Excludes, gitIgnore } from '../../../package/pack/excludes.ts'
import { rsyncFilter } from '../../../package/pack/rsync-filter.ts'
import { carryOver } from '../../../package/unpack/carry.ts'
import type { Target } from '../../../package/unpack/unpack.ts'
import type { CarryOrder } from '../../../protocol/order.ts'

/** Copies the files that the new release keeps from the current one. */
export const carryFrom =
  (order: CarryOrder, signal: AbortSignal): NonNullable<Target['carry']> =>
  (destination) =>
    carryOver({
      from: order.from,
      into: destination.root,
      keeps: keptBy(order),
      typeAt: (path) => destination.typeAt(path),
      signal,
      copyMore: copyAttributes,
    })

/** Attributes that this user may not set are reported; that is no failure, as with `cp -a`. */
async function copyAttributes(from: string, into: string, paths: readonly string[]): Promise<string[]> {
  const { copyXattrs } = await import('../../../attributes/python.ts')
  try {
    const refused = (await copyXattrs(from, into, paths)) ?? []
    return refused.map(({ path, what, why }) => `${path} (${what}: ${why})`)
  } catch (error) {
    return [`extended attributes (${reason(error)})`]
  }
}

/** The paths that are kept where the new release has nothing. */
export function keptBy({ filter, ignore, everything, within }: CarryOrder): Excludes {
  if (everything) return () => true
  const ignored = gitIgnore(ignore)
  const excludes = [rsyncFilter(filter), within === undefined ? ignored : below(within, ignored)]
  const isBeside = (path: string) => within !== undefined && path !== within && !path.startsWith(`${within}/`)
  return (path, isDirectory) => isBeside(path) || excludes.some((exclude) => exclude(path, isDirectory))
}
