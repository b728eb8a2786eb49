import { deployTask } from '../deploy-task.ts'

/** Points `current` to the release on every server. */
export const registerPublish = deployTask(
  'deploy:publish',
  (run) => run.publish(),
  (run) => run.tryPublish(),
)
