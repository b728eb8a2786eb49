import { posix } from 'node:path'
import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { packHosts } from '../../protocol/host-list.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { defined } from '../../system/defined.ts'
import { magnetOf } from '../../torrent/metainfo/magnet.ts'
import { parseMetainfo, withTrackers } from '../../torrent/metainfo/metainfo.ts'
import type { TaskContext } from '../context/context.ts'
import { releaseOf } from '../deltas/bases.ts'
import { deployToOf, placesOf } from '../paths/places.ts'
import { recordPath, releasesPath, transferPath } from '../paths/server-paths.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import type { FleetLinks } from '../reach/fleet-links.ts'
import { swarmAddresses } from '../reach/swarm-addresses.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'
import { fleetHosts } from '../swarm/fleet-addresses.ts'
import { siteOrder } from '../swarm/site-order.ts'
import type { ReachableSwarm } from '../swarm/swarm.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { carryOrder } from './carry-order.ts'
import type { RemotePeer } from './remote-peer.ts'

/** A shorter torrent is sent as it is. */
const MIN_MAGNET_BYTES = 2048

/** The torrent, or its magnet. */
function torrentOrder(torrent: Buffer): Pick<ReceiveOrder, 'torrent' | 'magnet'> {
  const magnet = torrent.length < MIN_MAGNET_BYTES ? undefined : magnetOf(parseMetainfo(torrent))
  // Peers get the manifest of a directory as a file.
  return magnet ? { magnet } : { torrent: withTrackers(torrent, []).toString('base64') }
}

export type SharedOrder = Awaited<ReturnType<typeof sameForAll>>

/** The long parts that every server's order shares, so that they are made once. */
export async function sameForAll(context: Pick<TaskContext, 'fleet' | 'settings'>, plan: ReceivePlan) {
  const { transfer, facts } = plan
  const hosts = await fleetHosts(context, facts)
  return {
    ...torrentOrder(transfer.torrent),
    hosts: hosts && packHosts(hosts),
    // Content that comes with the order needs no connections to others.
    links: transfer.content ? undefined : await plan.links,
  }
}

export function orderFor(
  context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>,
  plan: ReceivePlan,
  server: Server,
  { torrent, magnet, hosts, links }: SharedOrder,
): ReceiveOrder {
  const { settings } = context
  const { transfer, swarm, facts } = plan
  return {
    tag: transfer.tag,
    sha256: transfer.sha256,
    directory: transferPath(placesOf(context, server), transfer.tag),
    ...(transfer.content
      ? { trackers: [], peers: [], content: transfer.content.toString('base64') }
      : swarmAddresses(swarm, server, facts, transfer.secret !== undefined)),
    ports: settings.ports,
    fleet: (plan.servers ?? context.fleet.servers).length,
    linger: settings.linger,
    uploadLimit: settings.uploadLimit,
    downloadLimit: settings.downloadLimit,
    timeouts: timeoutsFor(settings.timeouts, swarm, server),
    ...defined({
      torrent,
      magnet,
      secret: transfer.secret,
      site: siteOrder(context, server, swarm.placement),
      // With an empty list the peer dials no other server.
      hosts: links?.isOnly ? packHosts([]) : hosts,
      links: links?.orderOf(server, (other) => isIn(plan, other)),
      unpack: unpackOrder(context, server, plan),
      place: plan.place,
    }),
  }
}

/**
 * A server whose way to the seeder was found before is not cut off: where it connects to nobody, a machine is busy. So only the
 * stall timeout counts.
 */
export function timeoutsFor(
  timeouts: Settings['timeouts'],
  { relays, areWaysTried }: Pick<ReachableSwarm, 'relays' | 'areWaysTried'>,
  server: Server,
): ReceiveOrder['timeouts'] {
  return areWaysTried || relays?.has(server) ? { ...timeouts, connect: 0 } : timeouts
}

/** Whether a server gets the same transfer. Other servers have nothing to exchange with it. */
export const isIn = ({ transfer, deltas }: ReceivePlan, server: Server): boolean =>
  transfer.base ? deltas?.get(server) === transfer : deltas?.get(server) === undefined

function unpackOrder(
  context: Pick<TaskContext, 'settings' | 'shipit'>,
  server: Server,
  { transfer, facts, releasePath, existing, revision, carries, isStaged }: ReceivePlan,
): ReceiveOrder['unpack'] {
  if (releasePath === undefined) return undefined
  const { compression, directory, key } = transfer
  const deployTo = deployToOf(context.shipit, server)
  const current = facts.get(server)?.currentRelease
  return {
    into: carries ? posix.join(releasesPath(deployTo), transfer.tag) : releasePath,
    compression,
    ...defined({ directory: directory || undefined, key, existing, revision }),
    ...defined({
      carry: carries && !isStaged ? carryOrder(context, current, transfer.extent, deployTo) : undefined,
      base: baseOrder(deployTo, facts.get(server), transfer),
      record: carries ? recordPath(deployTo, transfer.tag) : undefined,
    }),
    bytes: transfer.extent.bytes,
  }
}

function baseOrder(
  deployTo: string,
  facts: ServerFacts | undefined,
  { base }: Transfer,
): NonNullable<ReceiveOrder['unpack']>['base'] {
  if (base === undefined) return undefined
  const release = releaseOf(facts, base.id)
  if (release === undefined) return undefined
  return {
    from: posix.join(releasesPath(deployTo), release),
    record: recordPath(deployTo, release),
    id: base.id,
    becomes: base.becomes,
  }
}

/** What all servers of a run get, and how. */
export interface FleetPlan {
  /** Gives the package, which is made now unless it is there. */
  whole: () => Promise<Transfer>
  swarm: ReachableSwarm
  facts: FleetFacts
  /** Where to unpack. Without it the package is only fetched. */
  releasePath?: string
  /** What to do with existing files. Without it they are a failure. */
  existing?: 'merge' | 'replace'
  /** Instead of `releasePath`: one file travels, and goes there. */
  place?: NonNullable<ReceiveOrder['place']>
  revision?: string
  /** The content becomes a release that keeps files of the current one. */
  carries?: boolean
  /**
   * The release is staged, so it keeps nothing. The published release is made from it later, and keeps files of the one that is
   * live then.
   */
  isStaged?: boolean
  /** The ways between servers over SSH, once they are made. */
  links?: Promise<FleetLinks>
  /** The delta of each server that gets one in place of the package. If it does not fit, the server gets the package. */
  deltas?: ReadonlyMap<Server, Transfer>
  /** Where a transfer is seeded; `swarm` unless given. */
  reach?: (transfer: Transfer) => Promise<ReachableSwarm>
  /** All that take part unless given. */
  servers?: readonly Server[]
  /** Peers that have been started already. */
  peers?: ReadonlyMap<Server, RemotePeer>
  /**
   * Gets the servers on which this transfer may have made the release, even without a report: all that were told to unpack,
   * except those that already had a release there.
   */
  unpacked: Set<Server>
}

/** The same for the servers that get one transfer. */
export interface ReceivePlan extends Omit<FleetPlan, 'whole'> {
  transfer: Transfer
}
