import type { Shipit } from '../shipit.ts'
import { DeployRun } from './deploy-run.ts'
import { originalTask, type Registration, task, type Work } from './task.ts'

const runs = new WeakMap<Shipit, DeployRun>()

export function deployRunOf(shipit: Shipit): DeployRun {
  const run = runs.get(shipit) ?? new DeployRun(shipit)
  runs.set(shipit, run)
  return run
}

/** Registers a task that is a method of the run. `dry` is the method in a dry run. */
export function deployTask(
  name: string,
  work: (run: DeployRun, original: Work) => Promise<void>,
  dry: (run: DeployRun, original: Work) => void | Promise<void>,
): Registration {
  return (shipit) => {
    const run = deployRunOf(shipit)
    const original = originalTask(shipit, name)
    task(
      shipit,
      name,
      () => work(run, original),
      () => dry(run, original),
    )
  }
}
