/** Messages of the other side of a connection, as events of `PeerWire`. Offsets and lengths in bytes. */
export interface WireEvents {
  /** Both ids in hex. `subflow`: this is one more connection to a neighbour. */
  handshake: [infoHash: string, peerId: string, subflow: boolean]
  /** The content of an extended handshake (BEP 10). */
  'extended-handshake': [content: Record<string, unknown>]
  /** A message of an extension: its name as we offered it, or its number where we offered none. */
  extended: [extension: string | number, content: Buffer]
  choke: []
  unchoke: []
  have: [piece: number]
  'have-all': []
  'have-none': []
  /** The bits are valid only until the listener returns. */
  bitfield: [bits: Buffer]
  request: [piece: number, offset: number, length: number]
  cancel: [piece: number, offset: number, length: number]
  reject: [piece: number, offset: number, length: number]
  /** The block is valid only until the listener returns. */
  piece: [piece: number, offset: number, block: Buffer]
}
