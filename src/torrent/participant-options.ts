import type { WantedMetadata } from './metadata/metadata.ts'
import type { Metainfo } from './metainfo/metainfo.ts'
import type { PeerLinks } from './peers/dialing/peer-links.ts'
import type { Reuse } from './storage/pieces-here.ts'
import type { StorageOptions } from './storage/storage.ts'

export interface ParticipantOptions {
  metainfo: Metainfo
  /** The info dictionary comes from others: `metainfo` has no piece hashes yet. */
  metadata?: Omit<WantedMetadata, 'infoHash'> & {
    /** Called with the info dictionary when it is here and verified. */
    onVerified(info: Uint8Array): void
  }
  /** The file, or the directory of a torrent with several files. */
  path: string
  role: 'seeder' | 'peer'
  /** Announce URLs; may be empty when `peers` is not. */
  trackers: string[]
  /** All participants must prove to each other that they know it. Without a secret, any peer may join. */
  secret?: string
  /** `host:port` known from the start. */
  peers: string[]
  /** Address to announce instead of the one the tracker sees. */
  address?: string
  /** First and last TCP port to try; [0, 0] lets the system choose. */
  ports: [number, number]
  /** Bytes a second of the whole process; 0 is no limit. */
  uploadLimit?: number
  downloadLimit?: number
  /** Bytes a second to any one neighbour. */
  limitOfEach?: number
  storage?: StorageOptions
  /** For a peer: finds missing content elsewhere on this machine before anything is fetched. */
  reuse?: Reuse
  /** Peers expected, if known. With one peer, the seeder does not super-seed, and the peer asks for pieces in order. */
  fleet?: number
  /** Called for each piece that is verified and on disk. */
  onPiece?: (piece: number) => void
  /** Whether the pieces that are here make work on this thread, which then does not rest between packets. */
  isBusy?: () => boolean
  /** IP addresses and networks of all machines of the fleet, where they are known: then no others are dialled. */
  hosts?: () => readonly string[] | undefined
  site?: OwnSiteOptions
  /** Connections to some of the peers over SSH. */
  links?: PeerLinks
}

/** The site that this process is in, where that is known. */
export interface OwnSiteOptions {
  name: string
  /** Names this server to the members of its site; the same in each transfer. */
  key?: string
  /** Bytes a second into and out of the site, of all its servers together; 0 is no limit. */
  limit?: number
  /** How many servers it has. */
  servers?: number
  /** Where the seeder is. */
  seederSite?: string
}

/** Content bytes; rates in bytes a second. */
export interface Stats {
  bytes: number
  total: number
  down: number
  up: number
  /** Content bytes that came over the network, including those that came twice. */
  received: number
  /** How many of these bytes came from the seeder. */
  fromSeeder: number
  sent: number
  peers: number
  /** Whether any neighbour had something that is missing here, or is our seeder. */
  foundContent: boolean
  /** Addresses of peers that were banned for sending wrong bytes, in order. */
  banned: readonly string[]
  /** Our seeder, if it has sent a wrong piece: its address, and the files that contain the last such piece. */
  wrongSeeder?: { address: string; files: string[] }
  /** The piece hashes have not come yet, so nothing can be verified. */
  lacksHashes?: boolean
  trackerError?: string
}
