import { ExitCode, MurderError } from '../../errors.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { aborted, either } from '../../system/abort.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import type { ContentJob } from '../runs/job.ts'
import type { Run } from '../runs/run-directory.ts'
import { work } from '../workers/worker.ts'
import type { Follower } from './follower.ts'
import { Frontier } from './frontier.ts'
import { land, landsEarly } from './install.ts'
import { isUsed } from './transfer-directory.ts'

/** An order that is being carried out. */
export interface Receiving {
  order: ReceiveOrder
  job: ContentJob
  run: Run
  follower: Follower
  emit: (event: AgentEvent) => void
  /** Says that this process does nothing in the release any more. */
  release: () => void
}

/**
 * Fetches the package, unpacks it as far as it is there, and shares it until it has lingered or is told to stop. What
 * goes wrong with either ends both.
 */
export async function beThePeer(receiving: Receiving): Promise<void> {
  const { job, run, follower, emit, release } = receiving
  const frontier = new Frontier(parseMetainfo(Buffer.from(job.torrent, 'base64')))
  const failed = new AbortController()
  let complete = () => {}
  const completed = new Promise<void>((resolve) => {
    complete = resolve
  })
  const landing = landInTime(receiving, frontier, completed, failed.signal)
  landing.catch(() => failed.abort())
  const neverMind = whenAbandoned(receiving, () => failed.abort())
  // Whoever takes over may unpack as soon as this process has stopped to.
  follower.left.addEventListener('abort', () => Promise.allSettled([landing]).then(release))
  const sharing = work(job, run, {
    stop: either(follower.stop, failed.signal),
    onPiece: (piece) => frontier.add(piece),
    onEvent(event) {
      if (event.event !== 'failed') emit(event) // what fails is said once, by whoever ends the process
      if (event.event !== 'done') return
      neverMind()
      complete()
    },
  })
  sharing.catch(() => failed.abort())
  const [landed, shared] = await Promise.allSettled([landing, sharing])
  neverMind()
  if (landed.status === 'rejected') throw landed.reason
  if (shared.status === 'rejected') throw shared.reason
  if (!landed.value && follower.stop.aborted) throw interrupted()
}

/** A deploy whose connection broke is back within seconds, if it still is. */
const ABANDONED_MS = 40_000
const LOOK_MS = 1000

/**
 * Peers of a deploy that was killed would trade among themselves as long as they find something: this ends each of them
 * that is not complete and has had no follower for a while, neither its own nor one that another process brought. Returns
 * how to stop looking.
 */
function whenAbandoned({ order, follower }: Receiving, giveUp: () => void): () => void {
  let followed = performance.now()
  const timer = setInterval(() => {
    if (!follower.left.aborted || isUsed(order.directory)) followed = performance.now()
    else if (performance.now() - followed > ABANDONED_MS) giveUp()
  }, LOOK_MS)
  return () => clearInterval(timer)
}

/** Whether it has landed, and said so: not when nobody follows any more, nor when all is to end. */
async function landInTime(
  { order, follower, emit }: Receiving,
  frontier: Frontier,
  completed: Promise<void>,
  failed: AbortSignal,
): Promise<boolean> {
  const end = AbortSignal.any([follower.left, follower.stop, failed])
  const complete = () => Promise.race([completed, aborted(end)])
  const early = landsEarly(order)
  if (!early) await complete()
  if (end.aborted) return false
  try {
    const beyond = (position: number) => frontier.beyond(position, end)
    const event = await land(order, end, early ? beyond : undefined)
    await complete()
    if (end.aborted) return false
    if (event) emit(event)
    return true
  } catch (error) {
    if (end.aborted) return false
    throw error
  }
}

export const interrupted = () =>
  new MurderError('INTERRUPTED', 'interrupted', { exitCode: ExitCode.interrupted })
