import { reason } from '../../../errors.ts'
import { below, type Excludes, gitIgnore } from '../../../package/pack/excludes.ts'
import { rsyncFilter } from '../../../package/pack/rsync-filter.ts'
import { carryOver } from '../../../package/unpack/carry.ts'
import type { Target } from '../../../package/unpack/unpack.ts'
import type { CarryOrder } from '../../../protocol/order.ts'

/** What copies from the current release into the new one what that keeps. */
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

/** What the deploying user may not set is named, and no failure: `cp -a` does the same. */
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
