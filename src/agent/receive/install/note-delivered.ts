import { dirname } from 'node:path'
import { writeRecord } from '../../../package/delta/base/record.ts'
import type { Manifest } from '../../../package/delta/format/manifest.ts'
import type { UnpackOrder } from '../../../protocol/order.ts'

/**
 * Notes what was delivered. Without the note the next release comes as a whole package, so its absence is no failure. A release
 * gets no note when the deploy has overwritten its own REVISION file.
 */
export async function noteDelivered(
  { record, into, revision }: UnpackOrder,
  delivered: Manifest,
): Promise<void> {
  const isOver = revision !== undefined && delivered.entries.some(({ path }) => path === 'REVISION')
  if (record === undefined || delivered.entries.length === 0 || isOver) return
  try {
    await writeRecord(record, delivered, dirname(into))
  } catch {
    // The disk is full, or others own the directory.
  }
}
