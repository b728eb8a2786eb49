import { hostProblems } from '../config/entries/entry.ts'
import { serverList } from '../config/servers.ts'
import { serverPool } from '../deploy/commands/server-pool.ts'
import { chooseServers } from '../deploy/context/servers/choose-servers.ts'
import { ExitCode, MurderError } from '../errors.ts'
import type { ServerPool, Shipit } from '../shipit.ts'
import { plainError } from './plain-error.ts'
import { thrownToNode } from './thrown-to-node.ts'

/** `shipit.murder`, for the shipitfile and for other plugins. Where their tasks fail by it, no stack is printed. */
export function addServers(shipit: Shipit): void {
  shipit.murder = { servers: (which) => plainly(() => withPlainErrors(serverPool(shipit, which))) }
}

const withPlainErrors = (pool: ServerPool): ServerPool => ({
  ...pool,
  run: (command, options) =>
    pool.run(command, options).catch((error: unknown) => {
      throw plainError(error)
    }),
})

function plainly<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw plainError(error)
  }
}

/** Shipit fails by an entry without a host before any task runs, with a stack that names no entry. This names it first. */
export function refuseServersWithoutHost(shipit: Shipit): void {
  shipit.on('init', () => {
    const problems = hostProblems(serverList(shipit.config.servers))
    if (problems.length === 0) return
    throw thrownToNode(new MurderError('SETTINGS', problems.join('\n'), { exitCode: ExitCode.usage }))
  })
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
