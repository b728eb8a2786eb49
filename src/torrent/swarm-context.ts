import { defined } from '../system/defined.ts'
import { Bottlenecks } from './bottlenecks.ts'
import { Metadata } from './metadata/metadata.ts'
import type { Metainfo } from './metainfo/metainfo.ts'
import type { ParticipantOptions } from './participant-options.ts'
import type { Connection } from './peers/connection.ts'
import { RateMeter } from './peers/limits/rate-meter.ts'
import { SiteLimit } from './peers/limits/site-limit.ts'
import { type LocalPeer, localPeer } from './peers/local-peer.ts'
import { Sources } from './peers/sources.ts'
import { PieceArrivals } from './piece-arrivals.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import type { OwnSite } from './scheduler/sites/site-facts.ts'
import { Storage } from './storage/storage.ts'
import { Coalescer } from './wire/coalescing.ts'

/** What the parts of one participant share. */
export interface SwarmContext {
  readonly options: ParticipantOptions
  readonly metainfo: Metainfo
  readonly metadata: Metadata
  /** As in the metainfo; undefined until they have come. */
  pieceHashes: Uint8Array | undefined
  readonly local: LocalPeer
  readonly storage: Storage
  readonly scheduler: Scheduler
  readonly meter: RateMeter
  readonly sources: Sources
  readonly arrivals: PieceArrivals
  readonly bottlenecks: Bottlenecks
  readonly siteLimit: SiteLimit
  readonly coalescer: Coalescer
  /** The neighbours by the ids of their connections. Only `Neighbours` changes it. */
  readonly connections: Map<number, Connection>
  /** Seconds, on a clock that only goes forward. */
  readonly nowS: () => number
}

export function swarmContext(options: ParticipantOptions): SwarmContext {
  const { metainfo, role, fleet } = options
  const inOrder = role === 'peer' && fleet === 1
  const local = localPeer(options)
  const { metadata } = options
  const { infoHash } = metainfo
  return {
    options,
    metainfo,
    metadata: metadata ? Metadata.missing({ ...metadata, infoHash }) : Metadata.of(metainfo.info),
    pieceHashes: metadata ? undefined : metainfo.pieces,
    local,
    storage: new Storage(metainfo, options.path, role === 'peer', options.storage),
    scheduler: new Scheduler({ ...metainfo, random: inOrder ? () => 0 : Math.random, own: ownSite(local) }),
    meter: new RateMeter(),
    sources: new Sources(),
    arrivals: new PieceArrivals(local.pieceCount),
    bottlenecks: new Bottlenecks(),
    siteLimit: new SiteLimit(options.site ?? {}, nowS()),
    coalescer: new Coalescer(defined({ isBusy: options.isBusy })),
    connections: new Map(),
    nowS,
  }
}

function ownSite({ site, peerId, isSeeder }: LocalPeer): OwnSite {
  return { site: site?.name, key: site?.key ?? peerId, seederSite: site?.seederSite, isSeeder }
}

function nowS(): number {
  return performance.now() / 1000
}
