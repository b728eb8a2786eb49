import type { Metainfo } from './metainfo/metainfo.ts'
import type { StorageOptions } from './storage/storage.ts'

export interface ParticipantOptions {
  metainfo: Metainfo
  /** The file, or the directory of a torrent with several files. */
  path: string
  role: 'seeder' | 'peer'
  /** Announce URLs; may be empty when `peers` is not. */
  trackers: string[]
  /** What all of the swarm know, and must prove to each other; without one anybody may join. */
  secret?: string
  /** `host:port` known from the start. */
  peers: string[]
  /** Address to announce instead of the one the tracker sees. */
  address?: string
  /** First and last TCP port to try; [0, 0] lets the system choose. */
  ports: [number, number]
  /** Bytes a second of the whole process; 0 or nothing is no limit. */
  uploadLimit?: number
  downloadLimit?: number
  /** Bytes a second to any one neighbour. */
  limitOfEach?: number
  storage?: StorageOptions
  /** Peers expected, if known: with one, a seeder has nothing to spread, and the peer asks for pieces in order. */
  fleet?: number
  /** Told of each piece that is verified and on disk. */
  onPiece?: (piece: number) => void
  /** IP addresses of the machines of the fleet, where all are known. */
  hosts?: string[]
}

/** Content bytes; rates in bytes a second. */
export interface Stats {
  bytes: number
  total: number
  down: number
  up: number
  /** Content bytes that came over the network, all of them, also those that came twice. */
  received: number
  /** Of these, bytes from who downloads nothing itself. */
  fromSeeder: number
  sent: number
  peers: number
  /** Whether anybody was met who has something that is missing here, or is a seeder of ours. */
  foundContent: boolean
  /** Addresses of peers that sent wrong bytes and are banned, in order. */
  banned: readonly string[]
  trackerError?: string
}
