import type { Arguments } from './arguments.ts'
import type { AgentEvent } from './contract.ts'
import { onInterrupt } from './interrupt.ts'
import type { Job } from './job.ts'
import { presenter } from './present.ts'
import { runRoot } from './run-directory.ts'
import { claimForeground } from './start-run.ts'
import { work } from './worker.ts'

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
