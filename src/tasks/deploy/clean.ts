import { deployTask } from '../deploy-task.ts'

/** Removes old releases. */
export const registerCleanReleases = deployTask(
  'deploy:clean',
  (run) => run.clean(),
  (run) => run.tryClean(),
)
