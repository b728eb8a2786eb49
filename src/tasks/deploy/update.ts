import { deployRunOf } from '../deploy-run.ts'
import { type Registration, task } from '../task.ts'

/** `deploy:update`: brings the workspace to every server as a new release. The plugin's own. */
export const registerUpdate: Registration = (shipit) => {
  const run = deployRunOf(shipit)
  task(
    shipit,
    'deploy:update',
    () => run.update(),
    () => run.tryUpdate(),
  )
}
