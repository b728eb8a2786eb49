import { setImmediate as nextTurn } from 'node:timers/promises'
import { writeWhole } from '../../files/write-whole.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { aborted, either } from '../../system/abort.ts'
import { holdAwakeClock } from '../../system/awake.ts'
import { interruptedError } from '../cli/interrupt.ts'
import { removeLeftKeys } from '../links/admission.ts'
import { followUntil } from '../runs/follow-run.ts'
import { runOf } from '../runs/job.ts'
import { claimRun, findRun, openPrivateDirectory, type Run } from '../runs/run-directory.ts'
import { attach } from '../runs/start-run.ts'
import { stopRun } from '../runs/stop-run.ts'
import type { Delivery } from './delivery.ts'
import { fetchAndUnpack, type Receiving } from './fetch-and-unpack.ts'
import type { Follower } from './follower.ts'
import { install } from './install/install.ts'
import { dropPlaced } from './install/install-file.ts'
import { readReceipt } from './install/receipt.ts'
import { takeOver, tidyDirectory, useDirectory } from './transfer-directory.ts'

/** How often the plugin hears from this process while nothing changes. */
const HEARTBEAT_MS = 1000

/**
 * Carries out an order: this process becomes a peer, unpacks the package when it is complete, and shares on until it has
 * lingered or is told to end. When its follower has left, it goes on as a peer and no longer unpacks. Returns whether a receipt
 * stays for a follower that comes back.
 */
export async function receive(delivery: Delivery, follower: Follower): Promise<boolean> {
  const { job, directory } = delivery
  const relay = relayEvents(delivery, follower)
  holdAwakeClock(follower.suspended)
  follower.preparation.stopListening()
  removeLeftKeys()
  await refuseIfUnheard(follower)
  openPrivateDirectory(directory)
  const release = useDirectory(directory)
  let isLost = false
  try {
    await takeOver(directory)
    await carryOut({ delivery, follower, emit: relay.emit, release })
  } finally {
    isLost = follower.isLost()
    relay.close()
    follower.preparation.close()
    release()
    tidyDirectory(directory, job.tag, isLost)
  }
  return isLost
}

async function carryOut(receiving: Receiving): Promise<void> {
  const { delivery, follower, emit } = receiving
  const receipt = readReceipt(delivery)
  if (receipt) {
    emit({ event: 'done' })
    emit(receipt)
    return await endWhenTold(delivery, follower)
  }
  if (delivery.unpack?.carry) await (await import('./install/carry-room.ts')).assertRoomToCarry(delivery)
  if (delivery.content) return await unpackContent(delivery, follower, emit)
  await dropPlaced(delivery)
  const claim = claimRun(delivery.directory, runOf(delivery.job))
  if ('taken' in claim) await followOther({ ...receiving, run: claim.taken })
  else await fetchAndUnpack({ ...receiving, run: claim.claimed })
}

/** The deploy may have been called off while this process started. Then nothing would end the work that it begins. */
async function refuseIfUnheard({ left }: Follower): Promise<void> {
  await nextTurn()
  if (left.aborted) throw interruptedError()
}

/** The content came with the order: there is nothing to fetch or share. */
async function unpackContent(
  delivery: Delivery,
  follower: Follower,
  emit: (event: AgentEvent) => void,
): Promise<void> {
  const { job, content = Buffer.alloc(0) } = delivery
  const kept = content.length
  writeWhole(job.path, content, { mode: 0o600 })
  emit({
    event: 'downloaded',
    bytes: kept,
    total: kept,
    seconds: 0,
    kept,
    received: 0,
    fromSeeder: 0,
    sent: 0,
  })
  emit({ event: 'done' })
  const event = await install(delivery, either(follower.left, follower.stop))
  if (event) emit(event)
  await endWhenTold(delivery, follower)
}

/** An earlier process of this order, whose follower has left, fetches already: this one unpacks the package. */
async function followOther(receiving: Receiving & { run: Run }): Promise<void> {
  const { delivery, run, follower, emit } = receiving
  const over = either(follower.left, follower.stop)
  const interrupt = { signal: over, reason: () => 'abandoned' as const }
  await followUntil(attach(delivery.job, run), 'done', interrupt, emit)
  try {
    const event = await install(delivery, over)
    if (event) emit(event)
  } catch (error) {
    if (!follower.left.aborted || follower.stop.aborted) await stopRun(run)
    throw error
  }
  await endWhenTold(delivery, follower)
}

/** Only sharing is left. Another process does it until it has lingered, or until this one is told to end it. */
async function endWhenTold({ job, directory }: Delivery, { left, stop }: Follower): Promise<void> {
  await aborted(either(left, stop))
  const run = findRun(directory, 'peer', job.tag)
  if (run && stop.aborted) await stopRun(run)
}

/** Passes events on, and repeats the newest progress when there is no other event: silence means a dead server. */
function relayEvents({ job }: Delivery, follower: Follower) {
  let said = performance.now()
  const { length: total } = job.torrent.metainfo
  let progress: AgentEvent = { event: 'progress', bytes: 0, total, down: 0, up: 0, peers: 0 }
  const emit = (event: AgentEvent) => {
    said = performance.now()
    if (event.event === 'progress') progress = event
    follower.say({ ...event, at: Math.round(said) / 1000 })
  }
  emit(progress)
  const timer = setInterval(() => {
    if (performance.now() - said >= HEARTBEAT_MS) emit(progress)
  }, HEARTBEAT_MS / 4)
  return { emit, close: () => clearInterval(timer) }
}
