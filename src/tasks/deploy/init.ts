import { deployTask } from '../deploy-task.ts'

/** shipit-deploy's own `deploy:init`. Then every server is asked and locked. */
export const registerInit = deployTask(
  'deploy:init',
  (run, original) => run.init(original),
  (_, original) => original(),
)
