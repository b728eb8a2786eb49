import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { writePrivate } from '../../files/private-file.ts'
import { ownAddresses } from '../../system/addresses.ts'
import type { Permit } from '../../torrent/access/tracker-gate.ts'
import type { TaskContext } from '../context/context.ts'
import type { Host } from '../hosts/host.ts'
import { taskHosts } from '../hosts/hosts.ts'
import { base, environmentDirectory, PERMIT } from '../paths/local-paths.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { fleetAddresses } from './fleet-addresses.ts'

/** The file from which tracker and seeder read all permits. */
export const PERMITS = 'permits.json'

/** Machines that may ask a tracker about a transfer: the fleet, this machine, and what the settings add. */
async function permitOf(
  context: Pick<TaskContext, 'fleet' | 'settings'>,
  { secret, infoHash }: Pick<Transfer, 'secret' | 'infoHash'>,
  facts: FleetFacts,
): Promise<Permit> {
  if (secret === undefined) return { infoHash }
  const here = ['127.0.0.0/8', '::1', ...ownAddresses()]
  const addresses = [...here, ...(await fleetAddresses(context, facts))]
  return { secret, infoHash, addresses: [...new Set(addresses)] }
}

/** Puts the permits of only these transfers on a host. Returns the path. */
export async function putPermitsOf(
  context: Pick<TaskContext, 'fleet' | 'settings'>,
  transfers: readonly Transfer[],
  host: Host,
  facts: FleetFacts,
): Promise<string> {
  const permits = await Promise.all(transfers.map((transfer) => permitOf(context, transfer, facts)))
  return host.put(PERMITS, JSON.stringify(permits))
}

/**
 * Lets the tracker answer about this transfer, and the seeder dial its servers. The tracker already answers about transfers of the
 * project's other environments.
 */
export async function permit(context: TaskContext, transfer: Transfer, facts: FleetFacts): Promise<void> {
  const own = await permitOf(context, transfer, facts)
  await writePrivate(join(environmentDirectory(context.shipit.environment), PERMIT), JSON.stringify(own))
  await putPermits(context)
  const { tracker, seeder } = taskHosts(context)
  if (seeder !== tracker) await seeder.put(PERMITS, JSON.stringify([own]), seeder.runs)
}

/** Puts all present permits, even if there are none, where the tracker reads them. Returns the path. */
export async function putPermits(context: TaskContext): Promise<string> {
  const { tracker } = taskHosts(context)
  return tracker.put(PERMITS, JSON.stringify(storedPermits()), tracker.runs)
}

/** Permits of all environments of this project: they share a tracker. */
function storedPermits(): Permit[] {
  return environments().flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(base(), name, PERMIT), 'utf8')) as Permit]
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR') || error instanceof SyntaxError) return []
      throw error
    }
  })
}

function environments(): string[] {
  try {
    return readdirSync(base())
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}
