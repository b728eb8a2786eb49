import type { LinkOrder } from './link.ts'

/**
 * What travels over SSH between the plugin and an agent: one order (a line of JSON on the agent's standard input), then
 * events (one JSON object a line on its standard output), and at last the word `end`. Nothing secret is ever on an argument list.
 */

export type Compression = 'none' | 'brotli' | 'gzip' | 'zstd'

/** The order of `murder receive`: become a peer, wait until the package is complete, unpack it. */
export interface ReceiveOrder {
  /** Name of the transfer; in a deploy the release's directory name. Safe as a file name. */
  tag: string
  /** The metainfo file, base64. If that is long, there is a magnet instead. */
  torrent?: string
  magnet?: MagnetOrder
  /**
   * SHA-256, hex, of the package that the deploy host built, or of a directory's manifest, which has the SHA-256 of each file.
   * Checked after the swarm's own piece hashes.
   */
  sha256: string
  /** Directory on the server that holds everything temporary of this transfer. Removing it ends the peer. */
  directory: string
  /** Tracker announce URLs as this server reaches them; `{secret}` in one stands for the tracker's key. */
  trackers: string[]
  /** All participants must prove that they know it. Without one, anybody may join. */
  secret?: string
  /** `host:port` of processes known from the start (the seeder). */
  peers: string[]
  /** IP addresses of the fleet's machines (`host-list.ts`), where all are known. Peers then use no other address. */
  hosts?: string
  /** Address to announce instead of the one the tracker sees. */
  address?: string
  /** First and last TCP port to try; [0, 0] lets the system choose. */
  ports: [number, number]
  /** How many servers receive. */
  fleet: number
  /** The server's site, where sites are named. */
  site?: SiteOrder
  /** Seconds to go on sharing after completion. */
  linger: number
  /** Bytes a second for the whole process; 0 is no limit. */
  uploadLimit: number
  downloadLimit: number
  /** Seconds: without any connection, without any progress, for everything. 0 is no limit. */
  timeouts: { connect: number; stall: number; total: number }
  /** The content itself, base64, if it is small; then there is no swarm. */
  content?: string
  unpack?: UnpackOrder
  /** The place of a plain file; a release has none. */
  place?: PlaceOrder
  /** Connections to other servers over SSH. */
  links?: LinkOrder
}

/**
 * A torrent of one file by its infohash: the info dictionary, with the piece hashes, comes from the swarm. So an order has about
 * the same length for any content.
 */
export interface MagnetOrder {
  /** SHA-1 and SHA-256 of the info dictionary, hex. */
  infoHash: string
  sha256: string
  /** Bytes of the info dictionary. */
  size: number
  name: string
  /** Of the content, bytes. */
  length: number
  pieceLength: number
}

/** The site of a server. */
export interface SiteOrder {
  name: string
  /** The server's name for the others of its site; the same in each transfer. */
  key?: string
  /** Bytes a second into and out of the site, of all its servers together; 0 is no limit. */
  limit?: number
  /** How many servers it has. */
  servers?: number
  /** Where the seeder is, if that is a named site too. */
  seederSite?: string
}

export interface UnpackOrder {
  /** The release travels as a directory of files, with a manifest, and not as a package. */
  directory?: boolean
  /** The release directory. Made beside its final name and renamed when it is whole. */
  into: string
  /** How to treat an existing directory (package/unpack/overwrite.ts). Without it, an existing one is an error. */
  existing?: 'merge' | 'replace'
  compression: Compression
  /** The key of an encrypted package, hex. */
  key?: string
  /** Content of the REVISION file, when there is one. */
  revision?: string
  carry?: CarryOrder
  /** Size of the release's files, for the message about missing space. */
  bytes?: number
  /** File for the note of what was delivered, so that a later release may come as a delta. */
  record?: string
  /** Set when a delta travels instead of a package. */
  base?: BaseOrder
}

/** The earlier release that is the base of a delta, and the file that lists what was delivered there. */
export interface BaseOrder {
  from: string
  record: string
  /** Id of its manifest. */
  id: string
  /** Id of the new release's manifest. */
  becomes: string
}

/**
 * What the release keeps from the current one, as if that was copied and rsync run over it. `filter` and `ignore` are patterns of
 * files left out of a package: rsync's, relative to the release, and .gitignore's, relative to `within`.
 */
export interface CarryOrder {
  /** The current release. */
  from: string
  filter: { kind: 'exclude' | 'include'; pattern: string }[]
  ignore: string[]
  /** Whether everything that the new release lacks is kept. */
  everything?: boolean
  /** The directory in the release that the package fills. Everything beside it is kept. */
  within?: string
}

export interface PlaceOrder {
  /** Path of the file, or of an existing directory, which then gets a file of this `name`. */
  path: string
  name: string
  mode: number
  /** Milliseconds since 1970. */
  mtime: number
}
