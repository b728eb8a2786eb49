import { type ChildProcess, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { agentFile } from '../../agent-file.ts'
import type { Entry } from '../../files/entry.ts'
import type { DeltaJob, JobEntry } from '../../protocol/delta-job.ts'
import { type AgentEvent, parseEvent } from '../../protocol/events.ts'

export type Answer = AgentEvent & { event: 'made' | 'unmade' }

export interface DeltaProcess {
  /** Gives it its job, once. Until then it gets ready. */
  begin(job: DeltaJob): void
  /** Its answer for each delta. Resolves when it has ended, even if it failed: servers without a delta get the package. */
  ended: Promise<Answer[]>
  /** Resolves when it no longer needs the new release's files. */
  read: Promise<void>
  /** Ends it. */
  stop(): void
}

interface DeltaProcessOptions {
  isLow?: boolean
  signal?: AbortSignal
  /** Called with each answer as it comes. */
  onAnswer?: (answer: Answer) => void
}

/** Matching takes all of a processor, so it has a process of its own. It ends when this one does, even when this one is killed. */
export function startDeltaProcess({
  isLow = false,
  signal,
  onAnswer,
}: DeltaProcessOptions = {}): DeltaProcess {
  const child = spawn(process.execPath, [agentFile, 'delta'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // Ctrl-C is for the task, which then ends it.
    // glibc has a heap for each thread, and none gives back what a compression took: a third more memory.
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
  })
  if (isLow) lower(child)
  const answers: Answer[] = []
  let hasRead = () => {}
  const read = new Promise<void>((resolve) => {
    hasRead = resolve
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parseEvent(line)
    if (event?.event === 'made' || event?.event === 'unmade') {
      answers.push(event)
      onAnswer?.(event)
    }
    if (event?.event === 'read') hasRead()
  })
  child.stdin.on('error', () => {})
  const stop = () => void child.kill('SIGKILL')
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  const ended = new Promise<Answer[]>((resolve) => {
    child.once('error', () => resolve([]))
    child.once('close', () => resolve(answers))
  })
  void ended.then(() => {
    hasRead()
    signal?.removeEventListener('abort', stop)
  })
  return { begin: (job) => void child.stdin.write(`${JSON.stringify(job)}\n`), ended, read, stop }
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
