import type { MurderError } from '../../errors.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { aborted, either } from '../../system/abort.ts'
import { interruptedError } from '../cli/interrupt.ts'
import type { Run } from '../runs/run-directory.ts'
import { work } from '../workers/worker.ts'
import { ContiguousBytes } from './contiguous-bytes.ts'
import type { Delivery } from './delivery.ts'
import type { Follower } from './follower.ts'
import { install, unpacksEarly } from './install/install.ts'
import { linksOfOrder } from './links-of-order.ts'
import { isUsed } from './transfer-directory.ts'
import { TransferProfile } from './transfer-profile.ts'
import { unpackArriving } from './unpack-arriving.ts'

/** An order that is being carried out. */
export interface Receiving {
  delivery: Delivery
  follower: Follower
  emit: (event: AgentEvent) => void
  /** Says that this process does nothing in the release any more. */
  release: () => void
}

/**
 * Fetches the package, unpacks what has arrived, and shares it until it has lingered or is told to stop. If fetching or unpacking
 * fails, both end.
 */
export async function fetchAndUnpack(receiving: Receiving & { run: Run }): Promise<void> {
  const { delivery, run, follower, emit, release } = receiving
  const links = await linksOfOrder(delivery, follower)
  const contiguous = new ContiguousBytes(delivery.job.torrent.metainfo)
  const failed = new AbortController()
  let complete = () => {}
  const completed = new Promise<void>((resolve) => {
    complete = resolve
  })
  const profile = new TransferProfile()
  const installing = installUnlessEnded({ ...receiving, profile }, contiguous, completed, failed.signal)
  installing.catch(() => failed.abort())
  const stopLooking = whenAbandoned(receiving, () => failed.abort())
  // A process that takes over may unpack as soon as this one has stopped unpacking.
  follower.left.addEventListener('abort', () => Promise.allSettled([installing]).then(release))
  const sharing = work(delivery.job, run, {
    stop: either(follower.stop, failed.signal),
    onPiece: (piece) => contiguous.add(piece),
    isBusy: () => contiguous.isBehind,
    links,
    onComplete: (participant) => emit(profile.transferred(participant)),
    onEvent(event) {
      if (event.event !== 'failed') emit(event) // main reports the failure once
      if (event.event !== 'done') return
      stopLooking()
      complete()
    },
  })
  sharing.catch(() => failed.abort())
  const [installed, shared] = await Promise.allSettled([installing, sharing])
  stopLooking()
  if (installed.status === 'rejected') throw installed.reason
  if (shared.status === 'rejected') throw shared.reason
  if (!installed.value && follower.stop.aborted) throw interruptedError()
}

/** A deploy whose connection broke is back within seconds, if it still runs. */
const ABANDONED_MS = 40_000
const LOOK_MS = 1000

/**
 * Peers of a deploy that was killed would trade among themselves as long as they find each other. This ends each of them that is
 * not complete and has had no follower for a while, neither its own nor one of another process here. Returns a function that
 * stops this.
 */
function whenAbandoned({ delivery, follower }: Receiving, giveUp: () => void): () => void {
  let followed = performance.now()
  const timer = setInterval(() => {
    if (!follower.left.aborted || isUsed(delivery.directory)) followed = performance.now()
    else if (performance.now() - followed > ABANDONED_MS) giveUp()
  }, LOOK_MS)
  return () => clearInterval(timer)
}

/** Whether the release is installed and the follower knows. False when the follower has left or this process is ending. */
async function installUnlessEnded(
  { delivery, follower, emit, profile }: Receiving & { profile: TransferProfile },
  contiguous: ContiguousBytes,
  completed: Promise<void>,
  failed: AbortSignal,
): Promise<boolean> {
  const end = AbortSignal.any([follower.left, follower.stop, failed])
  const complete = () => Promise.race([completed, aborted(end)])
  const early = unpacksEarly(delivery)
  if (!early) await complete()
  if (end.aborted) return false
  try {
    const beyond = (position: number) => contiguous.beyond(position, end)
    const isWholeAfter = async (error: MurderError) => {
      if (end.aborted) return false
      emit({ event: 'again', message: error.message })
      contiguous.end()
      await complete()
      return !end.aborted
    }
    const event = early
      ? await unpackArriving(
          (isArriving) => install(delivery, end, isArriving ? beyond : undefined),
          isWholeAfter,
        )
      : await install(delivery, end)
    await complete()
    if (end.aborted) return false
    if (event) emit(profile.unpacked())
    if (event) emit(event)
    return true
  } catch (error) {
    if (end.aborted) return false
    throw error
  } finally {
    contiguous.end()
  }
}
