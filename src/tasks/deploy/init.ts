import { deployTask } from '../deploy-run.ts'

/** Shipit-deploy's own, and then every server is asked and locked. */
export const registerInit = deployTask(
  'deploy:init',
  (run, original) => run.init(original),
  (_, original) => original(),
)
