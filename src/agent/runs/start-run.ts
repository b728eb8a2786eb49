import { MurderError } from '../../errors.ts'
import { startOf } from '../../system/process-identity.ts'
import { lastEvents } from './event-log.ts'
import { type Job, runOf } from './job.ts'
import { diedError, launch } from './launch.ts'
import { claimRun, isAlive, type Run, readState } from './run-directory.ts'
import { stopRun } from './stop-run.ts'

export interface StartedRun {
  run: Run
  /** Whether it ran already. */
  attached: boolean
  alive(): boolean
  /** The error for a process that ended without saying why. */
  died(): MurderError
}

/**
 * Starts a job in the background, or finds the process that already does it.
 * `ifDone: 'again'` replaces a peer that has finished and only lingers: its content may have been changed since.
 */
export async function startRun(job: Job, root: string, ifDone: 'again' | 'attach'): Promise<StartedRun> {
  for (;;) {
    const result = claimRun(root, runOf(job))
    if ('claimed' in result) {
      const { claimed } = result
      const child = launch(job, claimed)
      const identity = { pid: child.pid, start: startOf(child.pid) ?? '' }
      const run = { ...claimed, state: { ...claimed.state, ...identity } }
      return { run, attached: false, alive: () => !child.hasExited(), died: () => diedError(run) }
    }
    const { taken } = result
    const other = attach(job, taken)
    if (ifDone === 'attach' || !lastEvents(taken.folder).some(({ event }) => event === 'done')) return other
    await stopRun(taken)
  }
}

/** Follows the process that does a job already. Throws TAG_TAKEN when it does another one. */
export function attach(job: Job, taken: Run): StartedRun {
  refuseOther(job, taken)
  return { run: taken, attached: true, alive: aliveOf(taken), died: () => diedError(taken) }
}

/** Takes a run's folder for this process itself (`--foreground`). */
export function claimForeground(job: Job, root: string): Run {
  const result = claimRun(root, runOf(job))
  if ('claimed' in result) return result.claimed
  const { role, tag, pid } = result.taken.state
  throw new MurderError('ALREADY_RUNS', `a ${role} ${tag} runs already (pid ${pid})`, {
    cure: `murder stop ${tag} ends it; --tag gives this one another name`,
  })
}

function refuseOther(job: Job, { state }: Run): void {
  const wanted = runOf(job)
  if (state.infoHash === wanted.infoHash && state.path === wanted.path) return
  const what =
    state.infoHash === wanted.infoHash ? `into ${state.path}` : `of another torrent (${state.infoHash})`
  throw new MurderError(
    'TAG_TAKEN',
    `a ${state.role} ${what} runs under the tag ${state.tag} (pid ${state.pid})`,
    {
      cure: `murder stop ${state.tag} ends it; --tag gives this one another name`,
    },
  )
}

/** The launcher's pid is replaced by the background process's own in the first moments, so the state is read again. */
function aliveOf(run: Run): () => boolean {
  let state = run.state
  return () => {
    state = readState(run.folder) ?? state
    return isAlive({ folder: run.folder, state })
  }
}
