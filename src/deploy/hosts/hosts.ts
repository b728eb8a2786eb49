import { basename, dirname, join, posix } from 'node:path'
import type { Server } from '../../fleet/ssh/server.ts'
import type { TaskContext } from '../context/context.ts'
import { assertNoFailures } from '../outcome/fleet-error.ts'
import { quietly } from '../outcome/say.ts'
import { environmentDirectory, environmentName, localRuns } from '../paths/local-paths.ts'
import { placesOf } from '../paths/places.ts'
import { transferPath } from '../paths/server-paths.ts'
import { ask } from '../preflight/ask.ts'
import { check, type FleetFacts } from '../preflight/preflight.ts'
import type { Transfer } from '../transfer/transfer.ts'
import type { Host, HostPaths } from './host.ts'
import { LocalHost } from './local-host.ts'
import { seederServer, trackerServer } from './placement.ts'
import { ServerHost } from './server-host.ts'
import { uploadAgent } from './upload-agent.ts'

/** Where seeder and tracker run. When that is one machine, both are the same object. */
export interface Hosts {
  readonly seeder: Host
  readonly tracker: Host
}

/** For single tasks, whose tracker and seeder run on in the background. */
export function taskHosts(context: TaskContext): Hosts {
  const { environment } = context.shipit
  const here = { directory: environmentDirectory(environment), runs: localRuns() }
  return hostsWith(context, here, (server) => {
    const { remotePath } = placesOf(context, server)
    return {
      directory: posix.join(remotePath, 'seed', environmentName(environment)),
      runs: posix.join(remotePath, 'run'),
    }
  })
}

/** For a deploy, whose uploads are in directories of its transfer and are removed with them. */
export function deployHosts(context: TaskContext, { tag, file, base }: Transfer): Hosts {
  const here = dirname(file)
  const name = base ? `seeder-${basename(here)}` : 'seeder'
  return hostsWith(context, { directory: here, runs: join(here, 'runs') }, (server) => {
    const there = posix.join(transferPath(placesOf(context, server), tag), name)
    return { directory: there, runs: there }
  })
}

function hostsWith(context: TaskContext, local: HostPaths, remote: (server: Server) => HostPaths): Hosts {
  const hostOn = (server: Server | undefined) =>
    server ? new ServerHost(context, server, remote(server)) : new LocalHost(context, local)
  const [atSeeder, atTracker] = [seederServer(context), trackerServer(context)]
  const seeder = hostOn(atSeeder)
  return { seeder, tracker: atTracker === atSeeder ? seeder : hostOn(atTracker) }
}

/** The deploy host, for single tasks, if it runs the seeder or the tracker. */
export function localTaskHost(context: TaskContext): Host | undefined {
  const { seeder, tracker } = taskHosts(context)
  return [seeder, tracker].find(({ server }) => server === undefined)
}

/** Makes sure that the agent is on these servers; gives their facts. Throws FLEET_FAILED. */
export async function prepareServers(
  context: TaskContext,
  servers: readonly Server[],
  consequence: string,
): Promise<FleetFacts> {
  if (servers.length === 0) return new Map()
  const facts = await check(context, ask(context, servers))
  const failures = await uploadAgent(quietly(context), facts, servers)
  assertNoFailures(context, failures, consequence)
  return facts
}

/** The same for the hosts of single tasks. */
export function prepareHosts(context: TaskContext, ...hosts: Host[]): Promise<FleetFacts> {
  const servers = new Set(hosts.flatMap(({ server }) => server ?? []))
  return prepareServers(context, [...servers], 'nothing was started')
}
