import { isDryRun } from '../config/environment.ts'
import { leftOutLine } from '../deploy/dry-run.ts'
import type { Shipit } from '../shipit.ts'
import { plainError } from './plain-error.ts'

export type Work = () => void | Promise<void>

/** Adds a task to a host that has shipit-deploy's tasks already. */
export type Registration = (shipit: Shipit) => void

/**
 * Registers a blocking task, replacing one of the same name. Its errors print as plain lines without a stack trace, and the exit
 * code of a MurderError becomes that of the process. In a dry run (MURDER_DRY_RUN) `dry` runs instead: 'same' for a task that only
 * reads; without it the task is left out.
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

/** The function of shipit-deploy's task of this name, before it is replaced. */
export const originalTask = ({ tasks }: Shipit, name: string): Work =>
  (tasks[name]?.fn as Work | undefined) ?? (() => {})

/** Skips a task of shipit-deploy in a dry run, because it would tell others that something has happened. */
export const onlyForReal =
  (name: string): Registration =>
  (shipit) => {
    if (shipit.tasks[name]?.fn) task(shipit, name, originalTask(shipit, name))
  }
