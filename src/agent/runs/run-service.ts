import type { AgentEvent } from '../../protocol/events.ts'
import type { Arguments } from '../cli/arguments.ts'
import { onInterrupt } from '../cli/interrupt.ts'
import { printOut } from '../cli/output.ts'
import { presenter } from '../cli/presenter.ts'
import { followUntil } from './follow-run.ts'
import type { Job } from './job.ts'
import { runRoot } from './run-directory.ts'
import { startRun } from './start-run.ts'

/** Starts a seeder or a tracker; returns when it listens, or, in the foreground, when it has ended. */
export async function runService(
  job: Job,
  args: Arguments,
  describe: (event: AgentEvent & { event: 'listening' }) => string,
): Promise<void> {
  if (args.has('foreground')) {
    const { runForeground } = await import('./run-foreground.ts')
    return runForeground(job, args, describe)
  }
  const asJson = args.has('json')
  const present = presenter(asJson)
  const started = await startRun(job, runRoot(args.text('run-dir')), 'attach')
  if (started.attached) present.note(`The ${job.role} ${job.tag} runs already`)
  try {
    await followUntil(started, 'listening', onInterrupt(), (event) => {
      present.event(event)
      if (event.event === 'listening' && !asJson) printOut(describe(event))
    })
  } finally {
    present.close()
  }
}
