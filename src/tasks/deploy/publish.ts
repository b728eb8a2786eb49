import { deployRunOf } from '../deploy-run.ts'
import { type Registration, task } from '../task.ts'

/** `deploy:publish`: points `current` to the release on every server. The plugin's own. */
export const registerPublish: Registration = (shipit) => {
  const run = deployRunOf(shipit)
  task(
    shipit,
    'deploy:publish',
    () => run.publish(),
    () => run.tryPublish(),
  )
}
