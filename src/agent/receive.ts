import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { ExitCode, isSystemError, MurderError } from '../errors.ts'
import { parseMetainfo } from '../torrent/metainfo.ts'
import type { AgentEvent, PlaceOrder, ReceiveOrder, UnpackOrder } from './contract.ts'
import { followUntil } from './follow-run.ts'
import { type Interrupt, onInterrupt } from './interrupt.ts'
import type { ContentJob } from './job.ts'
import { printOut } from './output.ts'
import { findRun, isAlive, openPrivateDirectory } from './run-directory.ts'
import { startRun } from './start-run.ts'
import { stopRun } from './stop-run.ts'
import {
  packageFile,
  prefillFile,
  receiptFile,
  takeOver,
  tidyDirectory,
  useDirectory,
} from './transfer-directory.ts'

/** How often the plugin hears from this process while nothing changes. */
const HEARTBEAT_MS = 2000

/** Carries out an order: become a peer, wait until the package is complete, unpack it. */
export async function receive(order: ReceiveOrder): Promise<void> {
  const interrupt = onInterrupt()
  const job = jobOf(order)
  openPrivateDirectory(order.directory)
  const release = useDirectory(order.directory)
  const relay = relayEvents(job)
  try {
    await takeOver(order.directory)
    const receipt = readReceipt(order)
    if (receipt) {
      relay.emit({ event: 'done' })
      relay.emit(receipt)
      return
    }
    if (order.place) dropPlaced(order.directory)
    await prefillOnce(order, relay.emit, interrupt.signal)
    const started = await startRun(job, order.directory, 'attach')
    await followUntil(started, 'done', interrupt, relay.emit, 'leave')
    if (order.unpack) relay.emit(await unpackPackage(order, order.unpack, interrupt))
    if (order.place) relay.emit(await placePackage(order, order.place, interrupt))
  } catch (error) {
    if (!isInterruption(error, interrupt)) await stopPeer(order)
    throw error
  } finally {
    relay.close()
    release()
    tidyDirectory(order.directory, order.tag)
  }
}

function jobOf(order: ReceiveOrder): ContentJob {
  const metainfo = parseMetainfo(Buffer.from(order.torrent, 'base64'))
  const { tag, torrent, trackers, peers, ports, linger, uploadLimit, downloadLimit, timeouts, address } =
    order
  return {
    role: 'peer',
    tag,
    torrent,
    infoHash: metainfo.infoHash,
    name: metainfo.name,
    path: packageFile(order.directory),
    trackers,
    peers,
    ports,
    linger,
    uploadLimit,
    downloadLimit,
    timeouts,
    transfer: order.directory,
    ...(address === undefined ? {} : { address }),
  }
}

/** Passes events on, and repeats the newest progress when nothing else is to be said: silence means a dead server. */
function relayEvents(job: ContentJob) {
  let said = performance.now()
  let progress: AgentEvent = { event: 'progress', bytes: 0, total: sizeOf(job), down: 0, up: 0, peers: 0 }
  const emit = (event: AgentEvent) => {
    said = performance.now()
    if (event.event === 'progress') progress = event
    printOut(JSON.stringify(event))
  }
  const timer = setInterval(() => {
    if (performance.now() - said >= HEARTBEAT_MS) emit(progress)
  }, HEARTBEAT_MS / 4)
  return { emit, close: () => clearInterval(timer) }
}

const sizeOf = (job: ContentJob) => parseMetainfo(Buffer.from(job.torrent, 'base64')).length

/** Fills the package from an earlier release, unless there is a package from an earlier attempt to go on from. */
async function prefillOnce(
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

async function unpackPackage(
  order: ReceiveOrder,
  target: UnpackOrder,
  interrupt: Interrupt,
): Promise<AgentEvent> {
  const started = performance.now()
  const options = {
    file: packageFile(order.directory),
    into: target.into,
    compression: target.compression,
    sha256: order.sha256,
    signal: interrupt.signal,
    ...(target.revision === undefined ? {} : { revision: target.revision }),
  }
  const { files, bytes } = target.existing
    ? await (await import('../package/settle.ts')).unpackOver(options, target.existing)
    : await (await import('../package/unpack.ts')).unpack(options)
  const seconds = Math.round(performance.now() - started) / 1000
  const event: AgentEvent = { event: 'unpacked', files, bytes, seconds }
  writeReceipt(order, event)
  return event
}

/** What was fetched may by now be the file itself, under its second name: the next one must not write into that. */
function dropPlaced(directory: string): void {
  const file = packageFile(directory)
  if ((statSync(file, { throwIfNoEntry: false })?.nlink ?? 0) > 1) rmSync(file, { force: true })
}

async function placePackage(
  order: ReceiveOrder,
  place: PlaceOrder,
  { signal }: Interrupt,
): Promise<AgentEvent> {
  const { placeFile } = await import('../package/place.ts')
  const started = performance.now()
  const file = packageFile(order.directory)
  const { bytes } = await placeFile({ file, sha256: order.sha256, order: place, signal })
  return { event: 'unpacked', files: 1, bytes, seconds: Math.round(performance.now() - started) / 1000 }
}

interface Receipt {
  into: string
  sha256: string
  event: AgentEvent
}

/** If the connection drops just before `unpacked` arrives, the next attempt must not find a release in its way. */
function writeReceipt(order: ReceiveOrder, event: AgentEvent): void {
  const receipt: Receipt = { into: order.unpack?.into ?? '', sha256: order.sha256, event }
  try {
    writeFileSync(receiptFile(order.directory), JSON.stringify(receipt), { mode: 0o600 })
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOSPC', 'EDQUOT')) throw error // it is only a convenience
  }
}

function readReceipt(order: ReceiveOrder): AgentEvent | undefined {
  try {
    const { into, sha256, event } = JSON.parse(readFileSync(receiptFile(order.directory), 'utf8')) as Receipt
    return into === order.unpack?.into && sha256 === order.sha256 && statSync(into).isDirectory()
      ? event
      : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

const isInterruption = (error: unknown, { signal }: Interrupt) =>
  signal.aborted && error instanceof MurderError && error.exitCode === ExitCode.interrupted

async function stopPeer(order: ReceiveOrder): Promise<void> {
  const run = findRun(order.directory, 'peer', order.tag)
  if (run) await stopRun(run)
}
