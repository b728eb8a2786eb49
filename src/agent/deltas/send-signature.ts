import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { directoryRelease } from '../../package/delta/base/directory-release.ts'
import { readRecord } from '../../package/delta/base/record.ts'
import { makeSignature } from '../../package/delta/base/signature.ts'
import type { BaseOrder } from '../../protocol/order.ts'

/** Writes the signature of a release on this server. Throws BASE_CHANGED when it is not what was delivered. */
export async function sendSignature(
  output: Writable,
  { from, record, id }: Omit<BaseOrder, 'becomes'>,
): Promise<void> {
  const manifest = await readRecord(record, id)
  const release = directoryRelease(from, manifest)
  for await (const part of makeSignature(manifest, (_, index) => release.open(index)))
    if (!output.write(part)) await once(output, 'drain')
}
