import { isSystemError } from '../errors.ts'
import { isRunning, type ProcessIdentity } from './process-identity.ts'
import { type Run, readState, removeRun } from './run-directory.ts'

const PATIENCE_MS = 5000
const LOOK_MS = 20

/** Ends a run's process, waits until it is gone, and removes its folder. */
export async function stopRun(run: Run): Promise<void> {
  const { state } = run
  await endProcess(state)
  const now = readState(run.folder)
  if (!now || (now.pid === state.pid && now.start === state.start)) removeRun(run.folder)
}

/** Returns when the process is gone; by SIGKILL when it does not end by itself. */
export async function endProcess(identity: ProcessIdentity): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isRunning(identity)) return
    send(identity.pid, signal)
    await gone(identity)
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error
  }
}

async function gone(identity: ProcessIdentity): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (isRunning(identity) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
