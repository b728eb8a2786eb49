import { posix } from 'node:path'
import type { Server } from '../../fleet/ssh/server.ts'
import { encodeLayout } from '../../package/format/layout.ts'
import { packHosts } from '../../protocol/host-list.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { defined } from '../../system/defined.ts'
import { parseMetainfo, withTrackers } from '../../torrent/metainfo/metainfo.ts'
import { stubOf } from '../../torrent/metainfo/stub.ts'
import type { Context } from '../context/context.ts'
import { deployToOf, recordPath, releasesPath, transferPath } from '../paths/server-paths.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { meetingPoints } from '../reach/meeting-points.ts'
import { fleetHosts } from '../swarm/fleet-addresses.ts'
import { siteOrder } from '../swarm/site-order.ts'
import type { ReachableSwarm } from '../swarm/swarm.ts'
import { releaseBytes, type Transfer } from '../transfer/transfer.ts'
import { carryOrder } from './carry-order.ts'
import type { RemotePeer } from './remote-peer.ts'

/** Every server gets the list of the release's files, unless it is longer than what it can save. */
const MAX_LAYOUT_SHARE = 0.25

function prefillLayout(context: Context, { transfer, facts }: ReceivePlan): string | undefined {
  if (transfer.directory || transfer.base || transfer.compression !== 'none' || !canPrefill(context, facts))
    return undefined
  const layout = encodeLayout(transfer.entries)
  return layout.length <= transfer.length * MAX_LAYOUT_SHARE ? layout : undefined
}

/** Whether any server has a current release to take unchanged files from. */
export function canPrefill({ settings }: Context, facts: FleetFacts): boolean {
  return (
    settings.prefill &&
    !settings.encrypt &&
    [...facts.values()].some(({ currentRelease }) => currentRelease !== undefined)
  )
}

function prefillFrom(
  { settings, shipit }: Context,
  current: string | undefined,
  { directory }: Transfer,
  layout: string | undefined,
): ReceiveOrder['prefill'] {
  if (current === undefined || !(directory ? settings.prefill : layout !== undefined)) return undefined
  return { from: posix.join(releasesPath(deployToOf(shipit)), current), ...defined({ layout }) }
}

/** A shorter torrent is sent as it is. */
const MIN_STUBBED_BYTES = 2048

/** The torrent, or its stub; `isWhole` where content that is there already must be checked at once. */
function torrentOrder(torrent: Buffer, isWhole: boolean): Pick<ReceiveOrder, 'torrent' | 'stub'> {
  const stub = torrent.length < MIN_STUBBED_BYTES || isWhole ? undefined : stubOf(parseMetainfo(torrent))
  // Peers get the manifest of a directory as a file.
  return stub ? { stub } : { torrent: withTrackers(torrent, []).toString('base64') }
}

export type SharedOrder = Awaited<ReturnType<typeof sameForAll>>

/** The long parts that are the same in every server's order, so that they are made once. */
export async function sameForAll(context: Context, plan: ReceivePlan) {
  const { transfer, facts } = plan
  const layout = prefillLayout(context, plan)
  const hosts = await fleetHosts(context, facts)
  return {
    ...torrentOrder(transfer.torrent, layout !== undefined),
    layout,
    bytes: releaseBytes(transfer.entries),
    hosts: hosts && packHosts(hosts),
  }
}

export function orderFor(
  context: Context,
  plan: ReceivePlan,
  server: Server,
  { layout, bytes, torrent, stub, hosts }: SharedOrder,
): ReceiveOrder {
  const { settings } = context
  const { transfer, swarm, facts } = plan
  const current = facts.get(server)?.currentRelease
  return {
    tag: transfer.tag,
    sha256: transfer.sha256,
    directory: transferPath(settings, transfer.tag),
    ...meetingPoints(swarm, server, facts, transfer.secret !== undefined),
    ports: settings.ports,
    fleet: (plan.servers ?? context.fleet.servers).length,
    linger: settings.linger,
    uploadLimit: settings.uploadLimit,
    downloadLimit: settings.downloadLimit,
    timeouts: settings.timeouts,
    ...defined({
      torrent,
      stub,
      secret: transfer.secret,
      site: siteOrder(context, server, swarm.placement),
      hosts,
      prefill: prefillFrom(context, current, transfer, layout),
      unpack: unpackOrder(context, plan, current, bytes),
      place: plan.place,
    }),
  }
}

function unpackOrder(
  context: Context,
  { transfer, releasePath, existing, revision, carries }: ReceivePlan,
  current: string | undefined,
  bytes: number,
): ReceiveOrder['unpack'] {
  if (releasePath === undefined) return undefined
  const { compression, directory, key } = transfer
  return {
    into: releasePath,
    compression,
    ...defined({ directory: directory || undefined, key, existing, revision }),
    ...defined({
      carry: carries ? carryOrder(context, current, transfer.entries) : undefined,
      base: baseOrder(context, current, transfer),
      record: carries && !directory ? recordPath(deployToOf(context.shipit), transfer.tag) : undefined,
    }),
    bytes,
  }
}

function baseOrder(
  { shipit }: Context,
  current: string | undefined,
  { base }: Transfer,
): NonNullable<ReceiveOrder['unpack']>['base'] {
  if (base === undefined || current === undefined) return undefined
  const deployTo = deployToOf(shipit)
  return {
    from: posix.join(releasesPath(deployTo), current),
    record: recordPath(deployTo, current),
    id: base.id,
    becomes: base.becomes,
  }
}

export interface ReceivePlan {
  transfer: Transfer
  swarm: ReachableSwarm
  facts: FleetFacts
  /** Where to unpack. Without it the package is only fetched. */
  releasePath?: string
  /** What to do with files that are there already. Without it they are a failure. */
  existing?: 'merge' | 'replace'
  /** Instead of `releasePath`: one file travels, and goes there. */
  place?: NonNullable<ReceiveOrder['place']>
  revision?: string
  /** It becomes a release, which keeps something of the current one. */
  carries?: boolean
  /** The servers that get a delta in place of the package, and which; a server that it does not fit gets the package after all. */
  deltas?: ReadonlyMap<Server, Transfer>
  /** Where a transfer is seeded. Unless given, all is at `swarm`. */
  reach?: (transfer: Transfer) => Promise<ReachableSwarm>
  /** All that take part unless given. */
  servers?: readonly Server[]
  /** Peers that have been started already. */
  peers?: ReadonlyMap<Server, RemotePeer>
  /**
   * Gets the servers where the release may be this transfer's work, also when they did not report it: all that were told to unpack
   * but those that found a release there.
   */
  unpacked: Set<Server>
}
