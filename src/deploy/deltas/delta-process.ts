import { type ChildProcess, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { agentFile } from '../../agent-file.ts'
import type { Entry } from '../../files/entry.ts'
import type { DeltaJob, JobEntry } from '../../protocol/delta-job.ts'
import { type AgentEvent, parseEvent } from '../../protocol/events.ts'

export type Answer = AgentEvent & { event: 'made' | 'unmade' }

export interface DeltaProcess {
  /** What it says of each delta. Resolves when it has ended, also by failing: servers without a delta get the package. */
  ended: Promise<Answer[]>
  /** Ends it. */
  stop(): void
}

/** Matching takes all of a processor, so it has a process of its own. It ends when this one does, even when this one is killed. */
export function startDeltaProcess(
  job: DeltaJob,
  { isLow = false, signal }: { isLow?: boolean; signal?: AbortSignal } = {},
): DeltaProcess {
  const child = spawn(process.execPath, [agentFile, 'delta'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // Ctrl-C is for the task, which then ends it.
  })
  if (isLow) lower(child)
  const answers: Answer[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parseEvent(line)
    if (event?.event === 'made' || event?.event === 'unmade') answers.push(event)
  })
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(job)}\n`)
  const stop = () => void child.kill('SIGKILL')
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  const ended = new Promise<Answer[]>((resolve) => {
    child.once('error', () => resolve([]))
    child.once('close', () => resolve(answers))
  })
  void ended.then(() => signal?.removeEventListener('abort', stop))
  return { ended, stop }
}

/** Gives it a low priority: keeping a base is work for the next deploy. */
function lower({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It has ended, or the system does not allow it.
  }
}

export const jobEntries = (entries: readonly Entry[]): JobEntry[] =>
  entries.map((entry) => ({ ...entry, mtime: String(entry.mtime) }))
