import { isSystemError } from '../../errors.ts'
import { isRunning, type ProcessIdentity } from '../../system/process-identity.ts'
import { type Run, readState, removeRun } from './run-directory.ts'

const SIGNAL_TIMEOUT_MS = 5000
const LOOK_MS = 20

/** Ends a run's process, waits until it is gone, and removes its folder. */
export async function stopRun(run: Run): Promise<void> {
  await endProcess(run.state)
  const now = readState(run.folder)
  const isOther = now && (now.pid !== run.state.pid || now.start !== run.state.start)
  // In its first moments a run belongs to the process that launches it, then to the one in the background.
  if (isOther && isRunning(now)) return stopRun({ folder: run.folder, state: now })
  removeRun(run.folder)
}

/** Returns when the process is gone; by SIGKILL when it does not end by itself. */
export async function endProcess(identity: ProcessIdentity): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (identity.pid === process.pid || !isRunning(identity)) return
    signalProcess(identity.pid, signal)
    await becomes(() => !isRunning(identity), SIGNAL_TIMEOUT_MS)
  }
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error
  }
}

/** Polls until `isSo` holds, or until the time is over. Returns whether it holds. */
export async function becomes(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!isSo()) {
    if (performance.now() >= deadline) return false
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return true
}
