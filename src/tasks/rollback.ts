import { allowUnsynced } from '../deploy/releases/synced.ts'
import { deployRunOf } from './deploy-run.ts'
import { onlyForReal, type Registration, task } from './task.ts'

/** `rollback:init` becomes the plugin's, because servers need not have the same releases. The other tasks stay. */
export const registerRollback: Registration = (shipit) => {
  allowUnsynced(shipit)
  const run = deployRunOf(shipit)
  task(
    shipit,
    'rollback:init',
    () => run.rollback(),
    () => run.tryRollback(),
  )
  onlyForReal(shipit, 'rollback:finish')
}
