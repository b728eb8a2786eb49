import { deployTask } from '../deploy-task.ts'

/** Brings the workspace to every server as a new release. */
export const registerUpdate = deployTask(
  'deploy:update',
  (run) => run.update(),
  (run) => run.tryUpdate(),
)
