/** The parts of untyped modules that are used here. */

declare module 'bencode' {
  type Value = number | string | Uint8Array | Value[] | { [key: string]: Value | undefined }
  const bencode: {
    encode(value: Value): Uint8Array
    decode(bytes: Uint8Array): unknown
  }
  export default bencode
}

declare module 'bittorrent-tracker/server' {
  import type { EventEmitter } from 'node:events'
  import type { Server as HttpServer } from 'node:http'
  export type Answered = (error: Error | null, answer?: object) => void
  export interface TrackedPeer {
    peerId: string
    ip: string
    port: number
  }
  export default class Server extends EventEmitter {
    constructor(options: {
      http?: boolean | object
      udp?: boolean
      ws?: boolean
      stats?: boolean
      interval?: number
      trustProxy?: boolean
      peersCacheLength?: number
      filter?: (infoHash: string, params: unknown, done: (error: Error | null) => void) => void
    })
    /** Its class of swarms, which may be replaced. */
    static Swarm: new (
      infoHash: string,
      server: Server,
    ) => {
      /** By `host:port`. */
      peers: { peek(address: string): TrackedPeer | undefined }
      announce(params: unknown, done: Answered): void
      _onAnnounceStopped(params: unknown, peer: TrackedPeer | undefined, id: string): void
      _getPeers(want: number, asking: string, isWebRtc: boolean): TrackedPeer[]
    }
    http: HttpServer
    /** Between two announces of a peer, for the answers from now on. */
    intervalMs: number
    /** By infohash, hex. */
    torrents: Record<string, { complete: number; incomplete: number }>
    listen(port: number, host?: string): void
    close(done?: () => void): void
  }
}
