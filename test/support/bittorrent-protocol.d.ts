/** The parts of an untyped module that tests use. */
declare module 'bittorrent-protocol' {
  import type { EventEmitter } from 'node:events'
  export default class Wire extends EventEmitter {
    constructor(type?: string)
    peerId: string | null
    hasFast: boolean
    extendedMapping: Record<number, string>
    peerExtendedMapping: Record<string, number>
    peerExtendedHandshake: Record<string, unknown>
    handshake(infoHash: string, peerId: string, extensions: { fast: boolean; dht: boolean }): void
    unchoke(): void
    have(piece: number): void
    haveAll(): void
    haveNone(): void
    bitfield(bits: Uint8Array): void
    request(
      piece: number,
      offset: number,
      length: number,
      done: (error: Error | null, block: Uint8Array | null) => void,
    ): void
    cancel(piece: number, offset: number, length: number): void
    reject(piece: number, offset: number, length: number): void
    extended(id: number | string, content: object): void
  }
}
