import { contextOf } from '../../deploy/context/context.ts'
import { rolloutToResume, tryResume } from '../../deploy/rollout/resume.ts'
import type { Shipit } from '../../shipit.ts'
import { deployRunOf } from '../deploy-task.ts'
import { type Registration, task } from '../task.ts'

/** `murder:resume`: publishes the remaining groups of a rollout, and then does what follows publishing. */
export const registerResume: Registration = (shipit: Shipit) => {
  const resume = async () => {
    const state = rolloutToResume(contextOf(shipit))
    await deployRunOf(shipit).resume()
    shipit.start(['deploy:publish', 'deploy:clean', state.isRollback ? 'rollback:finish' : 'deploy:finish'])
  }
  task(shipit, 'murder:resume', resume, () => tryResume(contextOf(shipit)))
}
