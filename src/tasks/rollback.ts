import { contextOf } from '../steps/context.ts'
import { prepareRollback } from '../steps/rollback.ts'
import { allowUnsynced } from '../steps/synced.ts'
import { nameDirectories } from './deploy.ts'
import { runOf } from './run.ts'
import { type Registration, task } from './task.ts'

/** `rollback:init` becomes the plugin's: servers need not have the same releases. The other tasks stay in their order. */
export const registerRollback: Registration = (shipit) => {
  allowUnsynced(shipit)
  task(shipit, 'rollback:init', async () => {
    const context = contextOf(shipit)
    runOf(shipit).begin(context)
    nameDirectories(shipit)
    await context.during(() => prepareRollback(context))
    shipit.emit('rollback')
  })
}
