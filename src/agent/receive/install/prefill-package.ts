import { renameSync, rmSync, statSync } from 'node:fs'
import type { AgentEvent } from '../../../protocol/events.ts'
import type { PrefillOrder } from '../../../protocol/order.ts'
import type { TorrentFile } from '../../../torrent/metainfo/torrent-file.ts'
import { findRun, isAlive } from '../../runs/run-directory.ts'
import type { Delivery } from '../delivery.ts'
import { prefillFile } from '../transfer-directory.ts'

/** Fills the package from an earlier release, unless an earlier attempt has left something to go on from. */
export async function prefillOnce(
  { job, directory, prefill }: Delivery,
  emit: (event: AgentEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  if (!prefill || statSync(job.path, { throwIfNoEntry: false })) return
  if (isAlive(findRun(directory, 'peer', job.tag))) return
  const draft = prefillFile(directory)
  rmSync(draft, { recursive: true, force: true })
  const bytes = await fillDraft(prefill, job.torrent.metainfo.files, draft, signal)
  renameSync(draft, job.path)
  emit({ event: 'prefilled', bytes })
}

/** Gives the bytes that were reused. */
async function fillDraft(
  { from, layout }: PrefillOrder,
  files: TorrentFile[],
  draft: string,
  signal: AbortSignal,
): Promise<number> {
  if (layout === undefined) {
    const { copyEarlier } = await import('../../../package/prefill/copy-earlier.ts')
    return copyEarlier({ from, into: draft, files, signal })
  }
  const { prefill } = await import('../../../package/prefill/prefill.ts')
  const { decodeLayout } = await import('../../../package/format/layout.ts')
  const { reused } = await prefill({ from, layout: decodeLayout(layout), output: draft, signal })
  return reused
}
