import { deployTask } from '../deploy-run.ts'

/** Removes old releases. */
export const registerCleanReleases = deployTask(
  'deploy:clean',
  (run) => run.clean(),
  (run) => run.tryClean(),
)
