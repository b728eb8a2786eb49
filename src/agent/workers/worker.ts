import { ExitCode, MurderError } from '../../errors.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { failedEvent } from '../../protocol/failed-event.ts'
import { aborted } from '../../system/abort.ts'
import { ownIdentity } from '../../system/process-identity.ts'
import type { PeerLinks } from '../../torrent/peers/dialing/peer-links.ts'
import { plainError } from '../cli/system-error.ts'
import { openEventLog } from '../runs/event-log.ts'
import type { Job } from '../runs/job.ts'
import { holdLease, type Lease } from '../runs/lease.ts'
import { type Run, removeRun } from '../runs/run-directory.ts'
import type { WorkerContext } from './worker-context.ts'

/**
 * Does a job in this process, in the background or in the foreground. `run` is already claimed. All events, including failures,
 * go to the run's event log. The run's folder stays only after a failure.
 */
export async function work(
  job: Job,
  run: Run,
  options: {
    stop: AbortSignal
    onEvent?: (event: AgentEvent) => void
    onPiece?: (piece: number) => void
    isBusy?: () => boolean
    links?: PeerLinks | undefined
    onComplete?: WorkerContext['onComplete']
  },
): Promise<void> {
  const log = openEventLog(run.folder)
  const state = { ...run.state, ...ownIdentity() }
  const lease = holdLease(run.folder, state)
  let done = false
  let stopped = false
  const emit = (event: AgentEvent) => {
    if (event.event === 'done') done = true
    log.append(event)
    options.onEvent?.(event)
  }
  const context: WorkerContext = {
    folder: run.folder,
    emit,
    listening(at) {
      lease.write({ ...state, ...at })
      emit({ event: 'listening', pid: process.pid, ...at })
    },
    stopped: Promise.race([lease.lost, aborted(options.stop)]).then(() => {
      stopped = true
    }),
    isStopped: () => stopped,
    onPiece: options.onPiece,
    isBusy: options.isBusy,
    links: options.links,
    onComplete: options.onComplete,
  }
  try {
    await Promise.race([runJob(job, context), crash()])
    if (stopped && !done && job.role === 'peer') throw stoppedError(job)
    end(run, lease)
  } catch (error) {
    const failure = lease.isLost() ? stoppedError(job) : plainError(error)
    emit(failedEvent(failure))
    // A requested stop leaves nothing behind. A failure stays on record for `status`.
    if (failure.code === 'STOPPED') end(run, lease)
    throw failure
  } finally {
    lease.release()
    log.close()
  }
}

function end(run: Run, lease: Lease): void {
  lease.release()
  if (!lease.isLost()) removeRun(run.folder)
}

async function runJob(job: Job, context: WorkerContext): Promise<void> {
  if (job.role === 'tracker') {
    const { workAsTracker } = await import('./tracker-worker.ts')
    return workAsTracker(job, context)
  }
  const { workOnContent } = await import('./content-worker.ts')
  return workOnContent(job, context)
}

/** Rejects with an uncaught error, which must end up in the event log too. */
function crash(): Promise<never> {
  return new Promise((_, reject) => {
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', reject)
  })
}

function stoppedError(job: Job): MurderError {
  const what = job.role === 'tracker' ? 'the tracker' : `the ${job.role} of ${job.torrent.metainfo.name}`
  return new MurderError('STOPPED', `${what} was stopped before it was complete`, {
    exitCode: ExitCode.interrupted,
    cure: 'what is here is kept, and the same command goes on from it',
  })
}
