import { type ChildProcess, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { agentFile } from '../../agent-file.ts'
import type { Entry } from '../../files/entry.ts'
import type { DeltaJob, JobEntry } from '../../protocol/delta-job.ts'
import { type AgentEvent, parseEvent } from '../../protocol/events.ts'

export type Made = AgentEvent & { event: 'made' }

export interface DeltaProcess {
  /** The deltas that it has made. Resolves when it has ended, also by failing: servers without a delta get the package. */
  ended: Promise<Made[]>
  /** Ends it. */
  stop(): void
}

/** Matching takes all of a processor, so it has a process of its own. It ends when this one does, even when this one is killed. */
export function startDeltaProcess(job: DeltaJob, { isLow = false }: { isLow?: boolean } = {}): DeltaProcess {
  const child = spawn(process.execPath, [agentFile, 'delta'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // Ctrl-C is for the task, which then ends it.
  })
  if (isLow) lower(child)
  const made: Made[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parseEvent(line)
    if (event?.event === 'made') made.push(event)
  })
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(job)}\n`)
  const ended = new Promise<Made[]>((resolve) => {
    child.once('error', () => resolve([]))
    child.once('close', () => resolve(made))
  })
  return { ended, stop: () => void child.kill('SIGKILL') }
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
