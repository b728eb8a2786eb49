import { watchShallowClones } from '../../deploy/context/shallow-clone.ts'
import { explain, MurderError } from '../../errors.ts'
import { originalTask, type Registration, task } from '../task.ts'

/** `deploy:fetch`: shipit-deploy's own. Its errors are reported without a stack trace, and its temporary clones are noted. */
export const registerFetch: Registration = (shipit) => {
  watchShallowClones(shipit)
  const original = originalTask(shipit, 'deploy:fetch')
  const fetch = async () => {
    try {
      await original()
    } catch (error) {
      throw new MurderError('FETCH_FAILED', explain(error), { cause: error })
    }
  }
  task(shipit, 'deploy:fetch', fetch, 'same')
}
