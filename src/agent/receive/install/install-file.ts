import { rmSync, statSync } from 'node:fs'
import type { PlaceOrder } from '../../../protocol/order.ts'
import { findRun } from '../../runs/run-directory.ts'
import { stopRun } from '../../runs/stop-run.ts'
import type { Delivery } from '../delivery.ts'

/** Gives the file that was fetched its place. */
export async function installFile(
  { job, sha256 }: Delivery,
  place: PlaceOrder,
  signal: AbortSignal,
): Promise<{ files: number; bytes: number }> {
  const { placeFile } = await import('../../../package/unpack/place-file.ts')
  const { bytes } = await placeFile({ file: job.path, sha256, order: place, signal })
  return { files: 1, bytes }
}

/**
 * The fetched file may be a second name of the placed one: the next transfer must not write into that. A peer
 * that still shares it is ended, because its content cannot be placed once more.
 */
export async function dropPlaced({ job, directory, place }: Delivery): Promise<void> {
  if (!place || (statSync(job.path, { throwIfNoEntry: false })?.nlink ?? 0) <= 1) return
  const run = findRun(directory, 'peer', job.tag)
  if (run) await stopRun(run)
  rmSync(job.path, { force: true })
}
