import type { Bottlenecks } from './bottlenecks.ts'
import type { Metadata } from './metadata/metadata.ts'
import type { Metainfo } from './metainfo/metainfo.ts'
import type { ParticipantOptions } from './participant-options.ts'
import type { Connection } from './peers/connection.ts'
import type { RateMeter } from './peers/limits/rate-meter.ts'
import type { SiteLimit } from './peers/limits/site-limit.ts'
import type { LocalPeer } from './peers/local-peer.ts'
import type { Sources } from './peers/sources.ts'
import type { PieceArrivals } from './piece-arrivals.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import type { Storage } from './storage/storage.ts'
import type { Coalescer } from './wire/coalescing.ts'

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
