import { serverPool } from '../deploy/commands/server-pool.ts'
import { chooseServers } from '../deploy/context/servers/choose-servers.ts'
import { MurderError } from '../errors.ts'
import type { Shipit } from '../shipit.ts'
import { thrownToNode } from './thrown-to-node.ts'

/** `shipit.murder`, for the shipitfile and for other plugins. */
export function addServers(shipit: Shipit): void {
  shipit.murder = { servers: (which) => serverPool(shipit, which) }
}

/** `roles`, `only` and `except` apply to the commands of all plugins, so they are applied before any task runs. */
export function onlyChosenServers(shipit: Shipit): void {
  shipit.on('init:after_ssh_pool', () => {
    try {
      chooseServers(shipit)
    } catch (error) {
      throw error instanceof MurderError ? thrownToNode(error) : error
    }
  })
}
