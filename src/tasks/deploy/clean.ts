import { deployRunOf } from '../deploy-run.ts'
import { onlyForReal, type Registration, task } from '../task.ts'

/** `deploy:clean`: removes old releases. The plugin's own. `deploy:finish`, shipit-deploy's own, is left out of a dry run. */
export const registerCleanReleases: Registration = (shipit) => {
  const run = deployRunOf(shipit)
  task(
    shipit,
    'deploy:clean',
    () => run.clean(),
    () => run.tryClean(),
  )
  onlyForReal(shipit, 'deploy:finish')
}
