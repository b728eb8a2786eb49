import { constants, copyFileSync, existsSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { MurderError } from '../../../errors.ts'
import { draftBeside } from '../../../files/draft.ts'
import { bytePath, planCarrying } from '../../../package/unpack/carry-plan.ts'
import type { CarryOrder, UnpackOrder } from '../../../protocol/order.ts'
import { bytes } from '../../../text/format.ts'
import { diskSpace } from '../../../torrent/storage/disk-space.ts'
import type { Delivery } from '../delivery.ts'
import { keptBy } from './carry.ts'

/**
 * Refuses a release that will not fit, before anything is fetched. The deploy host knows the sizes of package and release, but
 * not of the files that this server carries over. Throws DISK_FULL.
 */
export async function assertRoomToCarry({ job, unpack }: Delivery): Promise<void> {
  if (unpack?.carry === undefined || unpack.bytes === undefined) return
  const releases = dirname(unpack.into)
  const { free, used } = await diskSpace(releases)
  const toFetch = unpack.directory || existsSync(job.path) ? 0 : job.torrent.metainfo.length
  const isApart = statSync(dirname(job.path)).dev !== statSync(releases).dev
  const needed = unpack.bytes + (isApart ? 0 : toFetch)
  // What is carried over is on the disk already, so most disks need no closer look.
  if (needed + used <= free) return
  const carried = filesToCarry(unpack.carry, unpack)
  if (needed + carried.bytes <= free || sharesBlocks(carried.first, unpack.into)) return
  throw new MurderError(
    'DISK_FULL',
    `no space left for the ${bytes(carried.bytes)} that are carried over from ${unpack.carry.from}: with the new release it takes ${bytes(needed + carried.bytes)}, and ${bytes(free)} are free`,
    { step: 'check', cure: 'free space there, or set copy: false, which carries nothing over' },
  )
}

/** Where everything is kept, we do not know yet which files the new release has itself. It takes at least these bytes. */
function filesToCarry(
  order: CarryOrder,
  { bytes: ofRelease = 0 }: UnpackOrder,
): { bytes: number; first?: string | Buffer } {
  const { entries } = planCarrying({ from: order.from, keeps: keptBy(order), typeAt: () => undefined })
  const files = entries.filter(({ stats }) => stats.isFile() && stats.size > 0n)
  const all = files.reduce((sum, { stats }) => sum + Number(stats.size), 0)
  const [first] = files
  return {
    bytes: order.everything ? Math.max(0, all - ofRelease) : all,
    ...(first && { first: bytePath(order.from, first.path) }),
  }
}

/** Whether copies take no room here. */
function sharesBlocks(file: string | Buffer | undefined, into: string): boolean {
  if (file === undefined) return true
  const draft = draftBeside(into)
  try {
    copyFileSync(file, draft, constants.COPYFILE_FICLONE_FORCE)
    return true
  } catch {
    return false
  } finally {
    rmSync(draft, { force: true })
  }
}
