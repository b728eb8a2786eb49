import { ExitCode } from '../../errors.ts'
import type { RunStatus } from '../../protocol/run-status.ts'
import { duration, oneLine, percent, rate } from '../../text/format.ts'
import { table } from '../../text/table.ts'
import type { Command } from '../cli/arguments.ts'
import { printJson, printOut } from '../cli/output.ts'
import { listRuns, runRoot } from '../runs/run-directory.ts'
import { statusOf } from '../runs/status-of-run.ts'

const HELP = `murder status

  murder status --json

Lists trackers, seeders and peers of this user on this machine, and peers that failed lately.

  --json                a JSON array
  --run-dir DIR         where running processes are noted ($MURDER_RUN_DIR)`

export const command: Command = {
  help: HELP,
  positionals: [],
  flags: { json: { type: 'boolean' }, 'run-dir': { type: 'string' } },
  async run(args) {
    const runs = listRuns(runRoot(args.text('run-dir'))).map((run) => statusOf(run, Date.now()))
    if (args.has('json')) printJson(runs)
    else if (runs.length === 0) printOut('Nothing runs here')
    else printOut(lines(runs))
    return ExitCode.done
  },
}

const HEAD = ['ROLE', 'TAG', 'STATE', 'HAS', 'DOWN', 'UP', 'PEERS', 'PORT', 'AGE', 'PID']

function lines(runs: RunStatus[]): string {
  const failures = runs.flatMap(({ tag, failure }) => (failure ? [`${tag}: ${oneLine(failure)}`] : []))
  return [table([HEAD, ...runs.map(row)]), ...failures].join('\n')
}

function row(run: RunStatus): string[] {
  const content = run.role !== 'tracker' && run.total !== undefined
  return [
    run.role,
    run.tag,
    run.state,
    content ? percent(run.bytes ?? 0, run.total ?? 0) : '-',
    content ? rate(run.down ?? 0) : '-',
    content ? rate(run.up ?? 0) : '-',
    content ? String(run.peers ?? 0) : '-',
    run.port === undefined ? '-' : String(run.port),
    duration(run.age),
    run.pid === undefined ? '-' : String(run.pid),
  ]
}
