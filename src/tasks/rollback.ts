import { contextOf } from '../deploy/context/context.ts'
import { allowUnsyncedServers } from '../deploy/releases/unsynced-servers.ts'
import { deployTask } from './deploy-task.ts'
import { onlyForReal, type Registration } from './task.ts'

const registerInit = deployTask(
  'rollback:init',
  (run) => run.rollback(),
  (run) => run.tryRollback(),
)
const registerFinish = onlyForReal('rollback:finish')

/** Replaces `rollback:init`, because servers may have different releases. The other tasks stay. */
export const registerRollback: Registration = (shipit) => {
  allowUnsyncedServers(shipit, () => contextOf(shipit).fleet)
  registerInit(shipit)
  registerFinish(shipit)
}
