/** The parts of untyped modules that are used here. */

declare module 'bencode' {
  type Value = number | string | Uint8Array | Value[] | { [key: string]: Value | undefined }
  const bencode: {
    encode(value: Value): Uint8Array
    decode(bytes: Uint8Array): unknown
  }
  export default bencode
}

declare module 'bittorrent-protocol' {
  import type { EventEmitter } from 'node:events'
  export default class Wire extends EventEmitter {
    constructor(type?: string, encryption?: number)
    peerId: string | null
    amChoking: boolean
    amInterested: boolean
    peerChoking: boolean
    peerInterested: boolean
    hasFast: boolean
    destroyed: boolean
    peerRequests: { piece: number; offset: number; length: number }[]
    requests: unknown[]
    extendedHandshake: Record<string, unknown>
    extendedMapping: Record<number, string>
    peerExtendedMapping: Record<string, number>
    peerExtendedHandshake: Record<string, unknown>
    peerPieces: { get(piece: number): boolean }
    setKeepAlive(on: boolean): void
    handshake(infoHash: string, peerId: string, extensions: { fast: boolean; dht: boolean }): void
    choke(): void
    unchoke(): void
    interested(): void
    uninterested(): void
    have(piece: number): void
    bitfield(bits: Uint8Array): void
    haveAll(): void
    haveNone(): void
    request(
      piece: number,
      offset: number,
      length: number,
      done: (error: Error | null, block: Uint8Array | null) => void,
    ): void
    cancel(piece: number, offset: number, length: number): void
    reject(piece: number, offset: number, length: number): void
    extended(name: string | number, content: Uint8Array): void
    destroy(): this
    _push(data: Uint8Array): boolean | undefined
    _debug(...args: unknown[]): void
    _parse(size: number, parser: (bytes: Uint8Array) => void): void
    _onHandshakeBuffer(bytes: Uint8Array): void
    _onMessage(bytes: Uint8Array): void
    _message(id: number, numbers: number[], data: Uint8Array | null): void
  }
}

declare module 'bittorrent-tracker/server' {
  import type { EventEmitter } from 'node:events'
  import type { Server as HttpServer } from 'node:http'
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
    http: HttpServer
    listen(port: number, host?: string): void
    close(done?: () => void): void
  }
}
