import { createHash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST } from '../../attributes/entry.ts'
import { MurderError } from '../../errors.ts'
import type { ExtractOptions } from '../../package/unpack/extract.ts'
import type { Fill } from '../../package/unpack/unpack.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import type { PlaceOrder, ReceiveOrder, UnpackOrder } from '../../protocol/order.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { roomFor } from '../../torrent/storage/disk-space.ts'
import { plainError } from '../cli/system-error.ts'
import { manifestOf } from '../manifest/torrent-manifest.ts'
import { findRun, isAlive } from '../runs/run-directory.ts'
import { stopRun } from '../runs/stop-run.ts'
import { writeReceipt } from './receipt.ts'
import { packageFile, prefillFile } from './transfer-directory.ts'

/** Fills the content from an earlier release, unless there is some from an earlier attempt to go on from. */
export async function prefillOnce(
  order: ReceiveOrder,
  emit: (event: AgentEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const output = packageFile(order.directory)
  if (
    !order.prefill ||
    statSync(output, { throwIfNoEntry: false }) ||
    isAlive(findRun(order.directory, 'peer', order.tag))
  )
    return
  const draft = prefillFile(order.directory)
  rmSync(draft, { recursive: true, force: true })
  const bytes = await prefillDraft(order, order.prefill, draft, signal)
  renameSync(draft, output)
  emit({ event: 'prefilled', bytes })
}

async function prefillDraft(
  { torrent }: ReceiveOrder,
  { from, layout }: NonNullable<ReceiveOrder['prefill']>,
  draft: string,
  signal: AbortSignal,
): Promise<number> {
  if (layout === undefined) {
    const { copyEarlier } = await import('../../package/prefill/copy-earlier.ts')
    const { files } = parseMetainfo(Buffer.from(torrent, 'base64'))
    return copyEarlier({ from, into: draft, files, signal })
  }
  const [{ prefill }, { decodeLayout }] = await Promise.all([
    import('../../package/prefill/prefill.ts'),
    import('../../package/format/layout.ts'),
  ])
  const { reused } = await prefill({ from, layout: decodeLayout(layout), output: draft, signal })
  return reused
}

/** Whether the package can be unpacked while it still grows: nothing but a hidden directory is touched until it is whole. */
export const landsEarly = ({ unpack, place }: ReceiveOrder): boolean =>
  !place && unpack !== undefined && !unpack.directory && unpack.existing === undefined

/**
 * What is done with the package, and what to say of it; undefined when it was only to be fetched. The package is complete
 * unless `beyond` tells how far it is there. What fails has the step `unpack`.
 */
export async function land(
  order: ReceiveOrder,
  signal: AbortSignal,
  beyond?: ExtractOptions['beyond'],
): Promise<AgentEvent | undefined> {
  try {
    if (order.place) return await placePackage(order, order.place, signal)
    return order.unpack && (await unpackPackage(order, order.unpack, signal, beyond))
  } catch (error) {
    const { code, message, exitCode, cure = '' } = plainError(error)
    const room = code === 'DISK_FULL' ? await roomNeeded(order) : ''
    throw new MurderError(code, `${message}${room}`, { exitCode, cure, step: 'unpack', cause: error })
  }
}

async function roomNeeded({ unpack, place, directory }: ReceiveOrder): Promise<string> {
  const needed = unpack?.bytes ?? statSync(packageFile(directory), { throwIfNoEntry: false })?.size
  if (needed === undefined) return ''
  return `: it takes ${await roomFor(needed, unpack?.into ?? place?.path ?? directory)}`
}

async function unpackPackage(
  order: ReceiveOrder,
  target: UnpackOrder,
  signal: AbortSignal,
  beyond: ExtractOptions['beyond'],
): Promise<AgentEvent> {
  const started = performance.now()
  const { into, existing, revision } = target
  const whole = { into, signal, ...(revision === undefined ? {} : { revision }) }
  const fill = target.directory
    ? await fillFromDirectory(order, signal)
    : await fillFromPackage(order, target, signal, beyond)
  const { files, bytes } = existing
    ? await (await import('../../package/unpack/overwrite.ts')).makeOver(whole, existing, fill)
    : await (await import('../../package/unpack/unpack.ts')).makeWhole(whole, fill)
  const event: AgentEvent = { event: 'unpacked', files, bytes, seconds: secondsSince(started) }
  writeReceipt(order, event)
  return event
}

async function fillFromPackage(
  { directory, sha256 }: ReceiveOrder,
  { compression, key }: UnpackOrder,
  signal: AbortSignal,
  beyond: ExtractOptions['beyond'],
): Promise<Fill> {
  const { extractInto } = await import('../../package/unpack/extract.ts')
  const options = {
    ...{ file: packageFile(directory), compression, sha256, signal },
    ...(key === undefined ? {} : { key }),
    ...(beyond ? { beyond } : {}),
  }
  return (destination) => extractInto(destination, options)
}

async function fillFromDirectory(order: ReceiveOrder, signal: AbortSignal): Promise<Fill> {
  const from = packageFile(order.directory)
  const bytes = readFileSync(join(from, MANIFEST))
  if (createHash('sha256').update(bytes).digest('hex') !== order.sha256.toLowerCase())
    throw new MurderError('PACKAGE_WRONG', `${MANIFEST} is not what was sent: its SHA-256 differs`, {
      cure: 'deploy again; if it happens twice, check the disk and memory of this server',
    })
  const { entries } = await manifestOf(parseMetainfo(Buffer.from(order.torrent, 'base64')), bytes)
  const { adoptInto } = await import('../../package/unpack/adopt.ts')
  return (destination) => adoptInto(destination, { from, entries, signal })
}

async function placePackage(
  order: ReceiveOrder,
  place: PlaceOrder,
  signal: AbortSignal,
): Promise<AgentEvent> {
  const { placeFile } = await import('../../package/unpack/place-file.ts')
  const started = performance.now()
  const file = packageFile(order.directory)
  const { bytes } = await placeFile({ file, sha256: order.sha256, order: place, signal })
  return { event: 'unpacked', files: 1, bytes, seconds: secondsSince(started) }
}

const secondsSince = (started: number) => Math.round(performance.now() - started) / 1000

/**
 * What was fetched may by now be the file itself, under its second name: the next one must not write into that. Who still
 * shares it is ended, for its content is no longer there to be placed once more.
 */
export async function dropPlaced({ directory, tag, place }: ReceiveOrder): Promise<void> {
  const file = packageFile(directory)
  if (!place || (statSync(file, { throwIfNoEntry: false })?.nlink ?? 0) <= 1) return
  const run = findRun(directory, 'peer', tag)
  if (run) await stopRun(run)
  rmSync(file, { force: true })
}
