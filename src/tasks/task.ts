import { isDryRun } from '../config/environment.ts'
import { leftOutLine } from '../deploy/dry-run.ts'
import type { Shipit } from '../shipit.ts'
import { plainError } from './plain-error.ts'

type Work = () => void | Promise<void>

/** Adds one task, or a few that belong together, to a host that has shipit-deploy's tasks already. */
export type Registration = (shipit: Shipit) => void

/**
 * Registers a blocking task, replacing one of the same name. What it throws prints as plain lines without a stack
 * trace; a MurderError's exit code becomes the process's. `dry` runs in its place when nothing is to be changed (MURDER_DRY_RUN):
 * 'same' for what only reads; left out, the task is.
 */
export function task(
  shipit: Shipit,
  name: string,
  run: Work,
  dry: Work | 'same' = () => shipit.log(leftOutLine(name)),
): void {
  shipit.blTask(name, async () => {
    try {
      await (isDryRun() && dry !== 'same' ? dry : run)()
    } catch (error) {
      throw plainError(error)
    }
  })
}

/** Registers a task that only runs others, in this order. */
export function sequence(shipit: Shipit, name: string, steps: string[]): void {
  shipit.blTask(name, steps)
}
