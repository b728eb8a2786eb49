import { ExitCode } from '../../errors.ts'
import { type Command, usageError } from '../cli/arguments.ts'
import { printOut } from '../cli/output.ts'
import { isAlive, listRuns, type Run, refuseForeign, runRoot } from '../runs/run-directory.ts'
import { stopRun } from '../runs/stop-run.ts'

const HELP = `murder stop [tag] | --all

  murder stop --all

Stops trackers, seeders and peers that run here in the background and waits until they are gone. A tag stops what has
that tag; murder status lists them. Stopping what does not run is no error.

  --run-dir DIR         where running processes are noted ($MURDER_RUN_DIR)`

export const command: Command = {
  help: HELP,
  positionals: ['[tag]'],
  flags: { all: { type: 'boolean' }, 'run-dir': { type: 'string' } },
  async run(args) {
    const [tag] = args.positionals
    if ((tag === undefined) === !args.has('all')) {
      throw usageError('stop needs either a tag or --all', 'murder status lists the tags')
    }
    const root = runRoot(args.text('run-dir'))
    const runs = listRuns(root).filter(({ state }) => tag === undefined || state.tag === tag)
    refuseForeign(root, runs)
    const stopped = await Promise.all(runs.map(stop))
    if (!stopped.includes(true)) printOut(tag === undefined ? 'Nothing runs here' : `${tag} does not run`)
    return ExitCode.done
  },
}

/** Whether it was running. A record of a failed run is removed silently. */
async function stop(run: Run): Promise<boolean> {
  const { state } = run
  const running = isAlive(run)
  await stopRun(run)
  if (running) printOut(`Stopped the ${state.role} ${state.tag} (pid ${state.pid})`)
  return running
}
