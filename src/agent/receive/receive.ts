import { setImmediate as breath } from 'node:timers/promises'
import type { AgentEvent } from '../../protocol/events.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { aborted, either } from '../../system/abort.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { followUntil } from '../runs/follow-run.ts'
import { type ContentJob, runOf } from '../runs/job.ts'
import { claimRun, findRun, openPrivateDirectory } from '../runs/run-directory.ts'
import { attach } from '../runs/start-run.ts'
import { stopRun } from '../runs/stop-run.ts'
import { beThePeer, interrupted, type Receiving } from './fetch-and-unpack.ts'
import type { Follower } from './follower.ts'
import { dropPlaced, land, prefillOnce } from './install.ts'
import { readReceipt } from './receipt.ts'
import { packageFile, takeOver, tidyDirectory, useDirectory } from './transfer-directory.ts'

/** How often the plugin hears from this process while nothing changes. */
const HEARTBEAT_MS = 2000

/**
 * Carries out an order: this process becomes a peer, unpacks the package when it is complete, and shares on until it has
 * lingered or is told to end. When nobody follows it any more it goes on as a peer and no longer unpacks.
 */
export async function receive(order: ReceiveOrder, follower: Follower): Promise<void> {
  const job = jobOf(order)
  const relay = relayEvents(job, follower)
  await isHeard(follower)
  openPrivateDirectory(order.directory)
  const release = useDirectory(order.directory)
  try {
    await takeOver(order.directory)
    const receipt = readReceipt(order)
    if (receipt) {
      relay.emit({ event: 'done' })
      relay.emit(receipt)
      return await endWhenTold(order, follower)
    }
    await dropPlaced(order)
    await prefillOnce(order, relay.emit, either(follower.left, follower.stop))
    const claim = claimRun(order.directory, runOf(job))
    if ('taken' in claim)
      await followOther({ order, job, run: claim.taken, follower, emit: relay.emit, release })
    else await beThePeer({ order, job, run: claim.claimed, follower, emit: relay.emit, release })
  } finally {
    relay.close()
    release()
    tidyDirectory(order.directory, order.tag)
  }
}

/** A deploy may have been taken back while this process started: then nobody would end what it begins. */
async function isHeard({ left }: Follower): Promise<void> {
  await breath()
  if (left.aborted) throw interrupted()
}

/** An earlier process of this order, which nobody follows any more, is at it: what it fetches is unpacked here. */
async function followOther({ order, job, run, follower, emit }: Receiving): Promise<void> {
  const over = either(follower.left, follower.stop)
  const interrupt = { signal: over, reason: () => 'abandoned' as const }
  await followUntil(attach(job, run), 'done', interrupt, emit)
  try {
    const event = await land(order, over)
    if (event) emit(event)
  } catch (error) {
    if (!follower.left.aborted || follower.stop.aborted) await stopRun(run)
    throw error
  }
  await endWhenTold(order, follower)
}

/** All is done here but sharing, which another process does as long as it likes or this one is told. */
async function endWhenTold({ directory, tag }: ReceiveOrder, { left, stop }: Follower): Promise<void> {
  await aborted(either(left, stop))
  const run = findRun(directory, 'peer', tag)
  if (run && stop.aborted) await stopRun(run)
}

/** The job of the peer: its share in the swarm as it was ordered; what becomes of the content is not its matter. */
function jobOf({ sha256, directory, prefill, unpack, place, ...share }: ReceiveOrder): ContentJob {
  const { infoHash, name } = parseMetainfo(Buffer.from(share.torrent, 'base64'))
  return {
    ...share,
    role: 'peer',
    infoHash,
    name,
    path: packageFile(directory),
    limitOfEach: 0,
    attributes: false,
    ownerOnly: true,
    deletesOthers: false,
  }
}

/** Passes events on, and repeats the newest progress when nothing else is to be said: silence means a dead server. */
function relayEvents(job: ContentJob, follower: Follower) {
  let said = performance.now()
  const total = parseMetainfo(Buffer.from(job.torrent, 'base64')).length
  let progress: AgentEvent = { event: 'progress', bytes: 0, total, down: 0, up: 0, peers: 0 }
  const emit = (event: AgentEvent) => {
    said = performance.now()
    if (event.event === 'progress') progress = event
    follower.say(event)
  }
  emit(progress)
  const timer = setInterval(() => {
    if (performance.now() - said >= HEARTBEAT_MS) emit(progress)
  }, HEARTBEAT_MS / 4)
  return { emit, close: () => clearInterval(timer) }
}
