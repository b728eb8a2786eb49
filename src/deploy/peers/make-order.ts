import { posix } from 'node:path'
import type { Server } from '../../fleet/ssh/server.ts'
import { encodeLayout } from '../../package/format/layout.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { formatAddress } from '../../system/addresses.ts'
import { withTrackers } from '../../torrent/metainfo/metainfo.ts'
import type { Context } from '../context/context.ts'
import { deployToOf, releasesPath, transferPath } from '../context/server-paths.ts'
import { fleetHosts } from '../hosts/placement.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { type Swarm, trackersOf } from '../swarm/swarm.ts'
import { releaseBytes, type Transfer } from '../transfer/transfer.ts'
import type { Receiver } from './remote-peer.ts'

function prefillLayout(context: Context, { transfer, facts }: ReceivePlan): string | undefined {
  if (transfer.directory || transfer.compression !== 'none' || !canPrefill(context, facts)) return undefined
  const layout = encodeLayout(transfer.entries)
  return layout.length <= transfer.length * LARGEST_LAYOUT_SHARE ? layout : undefined
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
): Pick<ReceiveOrder, 'prefill'> {
  if (current === undefined || !(directory ? settings.prefill : layout !== undefined)) return {}
  const from = posix.join(releasesPath(deployToOf(shipit)), current)
  return { prefill: { from, ...(layout === undefined ? {} : { layout }) } }
}

/** What is long and the same in every server's order, so that it is made once. */
export function sameForAll(context: Context, plan: ReceivePlan) {
  const { transfer, facts } = plan
  return {
    // Peers get the manifest of a directory as a file.
    torrent: withTrackers(transfer.torrent, []).toString('base64'),
    layout: prefillLayout(context, plan),
    bytes: releaseBytes(transfer.entries),
    hosts: fleetHosts(facts),
  }
}

export function orderFor(
  context: Context,
  plan: ReceivePlan,
  server: Server,
  { layout, bytes, torrent, hosts }: ReturnType<typeof sameForAll>,
): ReceiveOrder {
  const { settings } = context
  const { transfer, swarm, facts, releasePath, existing, place, revision } = plan
  const current = facts.get(server)?.currentRelease
  return {
    tag: transfer.tag,
    torrent,
    sha256: transfer.sha256,
    directory: transferPath(settings, transfer.tag),
    trackers: trackersOf(context, swarm, server, transfer),
    peers: [formatAddress(swarm.hostFor(server), swarm.seederPort)],
    ...(transfer.secret === undefined ? {} : { secret: transfer.secret }),
    ...(hosts ? { hosts } : {}),
    ports: settings.ports,
    fleet: (plan.servers ?? context.fleet.servers).length,
    linger: settings.linger,
    uploadLimit: settings.uploadLimit,
    downloadLimit: settings.downloadLimit,
    timeouts: settings.timeouts,
    ...prefillFrom(context, current, transfer, layout),
    ...(releasePath === undefined
      ? {}
      : {
          unpack: {
            into: releasePath,
            compression: transfer.compression,
            ...(transfer.directory ? { directory: true } : {}),
            ...(transfer.key === undefined ? {} : { key: transfer.key }),
            ...(existing ? { existing } : {}),
            ...(revision === undefined ? {} : { revision }),
            bytes,
          },
        }),
    ...(place ? { place } : {}),
  }
}

/** The list of the release's files goes to every server: not when it would be more than it can save. */
const LARGEST_LAYOUT_SHARE = 0.25

export interface ReceivePlan {
  transfer: Transfer
  swarm: Swarm
  facts: FleetFacts
  /** Where to unpack; left out, the package is only fetched. */
  releasePath?: string
  /** What becomes of what is there already; refused when it is left out. */
  existing?: 'merge' | 'replace'
  /** Instead of `releasePath`: the package is one file, which goes there. */
  place?: NonNullable<ReceiveOrder['place']>
  revision?: string
  /** Only these; all unless told otherwise. */
  servers?: readonly Server[]
  /** Those that have been started already. */
  receivers?: ReadonlyMap<Server, Receiver>
  /**
   * Gets the servers where a release in its place is this transfer's work, also when its last word did not arrive: all
   * that were told to unpack, but those that found one there.
   */
  unpacked: Set<Server>
}
