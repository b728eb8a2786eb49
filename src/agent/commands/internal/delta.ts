import { createInterface } from 'node:readline'
import { ExitCode } from '../../../errors.ts'
import type { DeltaJob } from '../../../protocol/delta-job.ts'
import type { Command } from '../../cli/arguments.ts'
import { onInterrupt } from '../../cli/interrupt.ts'

const HELP = `murder delta

For the Shipit plugin: reads a job (JSON, one line) on standard input, makes deltas of a release or keeps it as the base of later
ones, and ends when standard input does.`

export const command: Command = {
  help: HELP,
  positionals: [],
  flags: { json: { type: 'boolean' } },
  async run() {
    const [line, { makeDeltas, keep }] = await Promise.all([
      firstLine(),
      import('../../deltas/delta-jobs.ts'), // The job is often still being written.
    ])
    if (line === '') return ExitCode.done
    const { signal } = onInterrupt({ untilEof: true })
    const job = JSON.parse(line) as DeltaJob
    await (job.do === 'make' ? makeDeltas(job, signal) : keep(job, signal))
    return ExitCode.done
  },
}

function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  return new Promise((resolve) => {
    lines.once('line', resolve)
    lines.once('close', () => resolve(''))
  })
}
