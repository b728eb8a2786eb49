import { contextOf } from '../deploy/context/context.ts'
import { allowUnsyncedServers } from '../deploy/releases/unsynced-servers.ts'
import { deployRunOf } from './deploy-run.ts'
import { onlyForReal, type Registration, task } from './task.ts'

/** `rollback:init` becomes the plugin's, because servers need not have the same releases. The other tasks stay. */
export const registerRollback: Registration = (shipit) => {
  allowUnsyncedServers(shipit, () => contextOf(shipit).fleet)
  const run = deployRunOf(shipit)
  task(
    shipit,
    'rollback:init',
    () => run.rollback(),
    () => run.tryRollback(),
  )
  onlyForReal(shipit, 'rollback:finish')
}
