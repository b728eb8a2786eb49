import { deployRunOf } from '../deploy-run.ts'
import { originalTask, type Registration, task } from '../task.ts'

/** `deploy:init`: shipit-deploy's own, and then every server is asked and locked. */
export const registerInit: Registration = (shipit) => {
  const run = deployRunOf(shipit)
  const original = originalTask(shipit, 'deploy:init')
  task(shipit, 'deploy:init', () => run.init(original), original)
}
