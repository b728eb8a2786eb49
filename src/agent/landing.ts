import { renameSync, rmSync, statSync } from 'node:fs'
import { MurderError } from '../errors.ts'
import type { ExtractOptions } from '../package/extract.ts'
import { roomFor } from '../torrent/disk-space.ts'
import type { AgentEvent, PlaceOrder, ReceiveOrder, UnpackOrder } from './contract.ts'
import { writeReceipt } from './receipt.ts'
import { findRun, isAlive } from './run-directory.ts'
import { plainError } from './system-error.ts'
import { packageFile, prefillFile } from './transfer-directory.ts'

/** Fills the package from an earlier release, unless there is a package from an earlier attempt to go on from. */
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
  const [{ prefill }, { decodeLayout }] = await Promise.all([
    import('../package/prefill.ts'),
    import('../package/layout.ts'),
  ])
  const draft = prefillFile(order.directory)
  rmSync(draft, { force: true })
  const { reused } = await prefill({
    from: order.prefill.from,
    layout: decodeLayout(order.prefill.layout),
    output: draft,
    signal,
  })
  renameSync(draft, output)
  emit({ event: 'prefilled', bytes: reused })
}

/** Whether the package can be unpacked while it still grows: nothing but a hidden directory is touched until it is whole. */
export const landsEarly = ({ unpack, place }: ReceiveOrder): boolean =>
  !place && unpack !== undefined && unpack.existing === undefined

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
  const options = {
    file: packageFile(order.directory),
    into: target.into,
    compression: target.compression,
    ...(target.key === undefined ? {} : { key: target.key }),
    sha256: order.sha256,
    signal,
    ...(beyond ? { beyond } : {}),
    ...(target.revision === undefined ? {} : { revision: target.revision }),
  }
  const { files, bytes } = target.existing
    ? await (await import('../package/settle.ts')).unpackOver(options, target.existing)
    : await (await import('../package/unpack.ts')).unpack(options)
  const event: AgentEvent = { event: 'unpacked', files, bytes, seconds: secondsSince(started) }
  writeReceipt(order, event)
  return event
}

async function placePackage(
  order: ReceiveOrder,
  place: PlaceOrder,
  signal: AbortSignal,
): Promise<AgentEvent> {
  const { placeFile } = await import('../package/place.ts')
  const started = performance.now()
  const file = packageFile(order.directory)
  const { bytes } = await placeFile({ file, sha256: order.sha256, order: place, signal })
  return { event: 'unpacked', files: 1, bytes, seconds: secondsSince(started) }
}

const secondsSince = (started: number) => Math.round(performance.now() - started) / 1000

/** What was fetched may by now be the file itself, under its second name: the next one must not write into that. */
export function dropPlaced({ directory, place }: ReceiveOrder): void {
  const file = packageFile(directory)
  if (place && (statSync(file, { throwIfNoEntry: false })?.nlink ?? 0) > 1) rmSync(file, { force: true })
}
