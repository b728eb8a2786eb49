/**
 * What travels over SSH between the plugin and an agent: one order (a line of JSON on the agent's standard input), then
 * events (one JSON object a line on its standard output), and at last the word `end`. Nothing secret is ever on an argument list.
 */

export type Compression = 'none' | 'gzip' | 'zstd'

/** The order of `murder receive`: become a peer, wait until the package is complete, unpack it. */
export interface ReceiveOrder {
  /** Name of the transfer; in a deploy the release's directory name. Safe as a file name. */
  tag: string
  /** The metainfo file, base64. */
  torrent: string
  /** SHA-256, hex, of the package, or of a directory's manifest, which has that of each file: what the deploy host built, checked after the swarm's own piece hashes. */
  sha256: string
  /** Directory on the server that holds everything temporary of this transfer. Removing it ends the peer. */
  directory: string
  /** Tracker announce URLs as this server reaches them; `{secret}` in one stands for the tracker's key. */
  trackers: string[]
  /** What all of the swarm must prove to know; anybody may join when it is missing. */
  secret?: string
  /** `host:port` of processes known from the start (the seeder). */
  peers: string[]
  /** IP addresses of the fleet's machines, where all are known: of others nobody can be told. */
  hosts?: string[]
  /** Address to announce instead of the one the tracker sees. */
  address?: string
  /** First and last TCP port to try; [0, 0] lets the system choose. */
  ports: [number, number]
  /** How many servers receive. */
  fleet: number
  /** Seconds to go on sharing after completion. */
  linger: number
  /** Bytes a second for the whole process; 0 is no limit. */
  uploadLimit: number
  downloadLimit: number
  /** Seconds: without any connection, without any progress, for everything. 0 is no limit. */
  timeouts: { connect: number; stall: number; total: number }
  /** Fill the content from what an earlier release already has here, before asking the swarm. A package needs its layout. */
  prefill?: { from: string; layout?: string }
  unpack?: UnpackOrder
  /** What travels is one file and no package: where it goes. */
  place?: PlaceOrder
}

export interface UnpackOrder {
  /** The release travels as a directory of files, with a manifest, and not as a package. */
  directory?: boolean
  /** The release directory. Made beside its final name and renamed when it is whole. */
  into: string
  /** What becomes of what is there already (settle.ts); refused when it is left out. */
  existing?: 'merge' | 'replace'
  compression: Compression
  /** What the package is encrypted with, hex. */
  key?: string
  /** Content of the REVISION file, when there is one. */
  revision?: string
  /** What the files of the release take, for the message when there is not enough room. */
  bytes?: number
}

export interface PlaceOrder {
  /** Path of the file, or of a directory that is there already, for a file of this `name` in it. */
  path: string
  name: string
  mode: number
  /** Milliseconds since 1970. */
  mtime: number
}

/** Events of a peer, a seeder or a tracker, oldest first. `bytes` count content, not protocol overhead. */
export type AgentEvent =
  /** Waits for its order; said again and again. */
  | { event: 'ready' }
  | { event: 'listening'; port: number; pid: number; url?: string; infoHash?: string }
  | { event: 'prefilled'; bytes: number }
  | {
      event: 'progress'
      bytes: number
      total: number
      down: number
      up: number
      peers: number
      sent?: number
    }
  /** A peer sent wrong bytes; it is asked nothing any more. */
  | { event: 'banned'; address: string }
  | {
      event: 'downloaded'
      bytes: number
      total: number
      seconds: number
      received: number
      /** Of `received`. */
      fromSeeder: number
      sent: number
    }
  /** Something that people should know and that is no failure. */
  | { event: 'warning'; message: string }
  /** Complete and verified: printed as `Done and done` for people. */
  | { event: 'done' }
  | { event: 'unpacked'; files: number; bytes: number; seconds: number }
  | { event: 'failed'; code: string; message: string; cure?: string; exitCode: number; step?: string }
