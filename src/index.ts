import { ExitCode, MurderError } from './errors.ts'
import type { Shipit } from './shipit.ts'
import { keepCommandsOut } from './tasks/ci-log.ts'
import { keepExitCode } from './tasks/exit-code.ts'
import { registrations } from './tasks/index.ts'
import { addServers, onlyChosenServers, refuseServersWithoutHost } from './tasks/servers.ts'
import { thrownToNode } from './tasks/thrown-to-node.ts'

export type { MurderSettings } from './config/schema.ts'
export type { Server, Shipit, ShipitConfig } from './shipit.ts'

/**
 * The plugin: call it in a shipitfile after shipit-deploy. It replaces `deploy:update` and adds the `murder:` tasks.
 *
 * Throws when it is not given Shipit, or before shipit-deploy is loaded.
 */
export default function murder(shipit: Shipit): void {
  if (typeof shipit?.blTask !== 'function') {
    throw misused('shipit-murder was called without Shipit', 'write murder(shipit) in the shipitfile')
  }
  if (!shipit.hasTask('deploy:update')) {
    throw misused(
      'shipit-murder was loaded before shipit-deploy',
      'call deploy(shipit) first, then murder(shipit)',
    )
  }
  keepCommandsOut(shipit)
  keepExitCode(shipit)
  refuseServersWithoutHost(shipit)
  onlyChosenServers(shipit)
  addServers(shipit)
  for (const register of registrations) register(shipit)
}

const misused = (message: string, cure: string): MurderError =>
  thrownToNode(new MurderError('PLUGIN_ORDER', message, { exitCode: ExitCode.usage, cure }))
