import { dirname } from 'node:path'
import { writeRecord } from '../../../package/delta/base/record.ts'
import { type Delivered, manifestOf } from '../../../package/delta/format/manifest.ts'
import type { UnpackOrder } from '../../../protocol/order.ts'

/**
 * Notes what was delivered. Without the note the next release comes as a whole package, so its absence is no failure. A release
 * gets no note when the deploy has overwritten its own REVISION file.
 */
export async function noteDelivered(
  { record, into, revision }: UnpackOrder,
  delivered: readonly Delivered[],
): Promise<void> {
  const isOver = revision !== undefined && delivered.some(({ path }) => path === 'REVISION')
  if (record === undefined || delivered.length === 0 || isOver) return
  try {
    await writeRecord(record, manifestOf(delivered), dirname(into))
  } catch {
    // The disk is full, or others own the directory.
  }
}
