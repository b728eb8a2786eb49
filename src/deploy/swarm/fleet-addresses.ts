import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { TaskContext } from '../context/context.ts'
import type { FleetFacts } from '../preflight/preflight.ts'

/** With more servers than this the list of their addresses would cost more than it helps. */
const MAX_LISTED_SERVERS = 4096

/** Addresses and networks of the fleet: those that servers report over SSH, those of their names, and those in the settings. */
export async function fleetAddresses(
  { fleet, settings }: Pick<TaskContext, 'fleet' | 'settings'>,
  facts: FleetFacts,
): Promise<string[]> {
  const named = await Promise.all([...fleet.servers].map(({ host }) => addressesOf(host)))
  const told = [...facts.values()].flatMap((found) => [found.serverAddress ?? '', ...found.addresses])
  // A server must not open the swarm to a whole network.
  return [
    ...new Set([...[...told, ...named.flat()].filter((one) => isIP(one) > 0), ...settings.tracker.allow]),
  ]
}

/** The same; undefined when the addresses of any server are unknown. */
export async function fleetHosts(
  context: Pick<TaskContext, 'fleet' | 'settings'>,
  facts: FleetFacts,
): Promise<string[] | undefined> {
  const all = [...facts.values()]
  if (all.length > MAX_LISTED_SERVERS || all.some(({ serverAddress }) => serverAddress === undefined))
    return undefined
  return fleetAddresses(context, facts)
}

const lookups = new Map<string, Promise<string[]>>()

/** None for a name that only ~/.ssh/config knows. */
function addressesOf(host: string): Promise<string[]> {
  const known =
    lookups.get(host) ??
    lookup(host, { all: true }).then(
      (found) => found.map(({ address }) => address),
      () => [],
    )
  lookups.set(host, known)
  return known
}
