import { contextOf } from '../deploy/context/context.ts'
import { tryRollback } from '../deploy/dry-run.ts'
import { prepareRollback } from '../deploy/releases/rollback.ts'
import { allowUnsynced } from '../deploy/releases/synced.ts'
import { nameDirectories, onlyForReal } from './deploy.ts'
import { runOf } from './run.ts'
import { type Registration, task } from './task.ts'

/** `rollback:init` becomes the plugin's: servers need not have the same releases. The other tasks stay in their order. */
export const registerRollback: Registration = (shipit) => {
  allowUnsynced(shipit)
  const run = runOf(shipit)
  const init = async () => {
    const context = contextOf(shipit)
    run.begin(context)
    nameDirectories(shipit)
    await run.choose('rollback:init', () => context.during(() => prepareRollback(context)))
    shipit.emit('rollback')
  }
  const dry = () => {
    const context = contextOf(shipit)
    return run.choose('rollback:init', () => context.during(() => tryRollback(context)))
  }
  task(shipit, 'rollback:init', init, dry)
  onlyForReal(shipit, 'rollback:finish')
}
