import type { AgentEvent } from '../../protocol/events.ts'
import type { Arguments } from '../cli/arguments.ts'
import { onInterrupt } from '../cli/interrupt.ts'
import { presenter } from '../cli/presenter.ts'
import { work } from '../workers/worker.ts'
import type { Job } from './job.ts'
import { runRoot } from './run-directory.ts'
import { claimForeground } from './start-run.ts'

/** Does a job in this very process until it is over or interrupted. */
export async function runForeground(
  job: Job,
  args: Arguments,
  describe: (event: AgentEvent & { event: 'listening' }) => string,
): Promise<void> {
  const present = presenter(args.has('json'))
  const run = claimForeground(job, runRoot(args.text('run-dir')))
  const interrupt = onInterrupt({ untilEof: args.has('until-eof') })
  try {
    await work(job, run, {
      stop: interrupt.signal,
      onEvent(event) {
        present.event(event)
        if (event.event === 'listening') present.note(describe(event))
      },
    })
  } finally {
    present.close()
  }
}
