import { createHash } from 'node:crypto'
import { applyDelta } from '../../../package/delta/apply-delta.ts'
import { readRecord } from '../../../package/delta/base/record.ts'
import type { Manifest } from '../../../package/delta/format/manifest.ts'
import { decrypt } from '../../../package/format/cipher.ts'
import { type ExtractOptions, readArriving, wrongPackage } from '../../../package/unpack/extract.ts'
import type { Fill } from '../../../package/unpack/unpack.ts'
import type { BaseOrder } from '../../../protocol/order.ts'
import type { Delivery } from '../delivery.ts'

/** Makes the release of an earlier one while the delta comes. Throws what `applyDelta` throws, and PACKAGE_WRONG. */
export async function fillFromDelta(
  { job, sha256 }: Delivery,
  { from, record, id, becomes }: BaseOrder,
  { key, ...arriving }: Pick<ExtractOptions, 'key' | 'beyond'> & { signal: AbortSignal },
): Promise<{ fill: Fill; delivered: () => Manifest }> {
  const base = await readRecord(record, id)
  let delivered: Manifest | undefined
  const fill: Fill = async (destination) => {
    const digest = createHash('sha256')
    const sealed = readArriving({ file: job.path, compression: 'none', ...arriving }, digest)
    const parts = key === undefined ? sealed : decrypt(sealed, key)
    const { signal } = arriving
    const { manifest, ...count } = await applyDelta(destination, { parts, from, base, id: becomes, signal })
    if (digest.digest('hex') !== sha256) throw wrongPackage(job.path)
    delivered = manifest
    return count
  }
  return { fill, delivered: () => delivered as Manifest } // It is asked for once the release is made.
}
