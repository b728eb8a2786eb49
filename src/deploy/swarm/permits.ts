import { lookup } from 'node:dns/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { writePrivate } from '../../files/private-file.ts'
import { upload } from '../../fleet/upload.ts'
import { ownAddresses } from '../../system/addresses.ts'
import type { Permit } from '../../torrent/access/tracker-gate.ts'
import type { Context } from '../context/context.ts'
import { base, environmentDirectory, PERMIT } from '../context/local-paths.ts'
import { type Station, trackerStationOf } from '../hosts/placement.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import type { Transfer } from '../transfer/transfer.ts'

/** Where the tracker of a station reads all permits. */
export const permitsPath = ({ runs }: Pick<Station, 'runs'>): string => posix.join(runs, 'permits.json')

/** Who may ask a tracker about a transfer: the fleet, this machine, and what the settings add. */
export async function permitOf(
  context: Context,
  { secret, infoHash }: Pick<Transfer, 'secret' | 'infoHash'>,
  facts: FleetFacts,
): Promise<Permit> {
  if (secret === undefined) return { infoHash }
  const { fleet, settings } = context
  const named = await Promise.all([...fleet.servers].map(({ host }) => addressesOf(host)))
  const told = [...facts.values()].flatMap((found) => [found.serverAddress ?? '', ...found.addresses])
  const here = ['127.0.0.0/8', '::1', ...ownAddresses()]
  const addresses = [...here, ...named.flat(), ...told, ...settings.tracker.allow].filter(Boolean)
  return { secret, infoHash, addresses: [...new Set(addresses)] }
}

/** None for a name that only ~/.ssh/config knows. */
async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}

/** Lets the tracker answer about this transfer, besides those of the project's other environments. */
export async function permit(context: Context, transfer: Transfer, facts: FleetFacts): Promise<void> {
  const own = await permitOf(context, transfer, facts)
  await writePrivate(join(environmentDirectory(context.shipit.environment), PERMIT), JSON.stringify(own))
  await putPermits(context)
}

/** Brings what is permitted now to where the tracker is, also when that is nothing. */
export async function putPermits(context: Context): Promise<void> {
  const { fleet, signal } = context
  const station = trackerStationOf(context)
  const text = JSON.stringify(storedPermits())
  const path = permitsPath(station)
  if (!station.server) return writePrivate(path, text)
  const file = { content: Buffer.from(text), to: path, mode: 0o600, step: 'seed' }
  await upload(fleet, station.server, file, { signal })
}

/** Those of all environments of this project: they share a tracker. */
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
