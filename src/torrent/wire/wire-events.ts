import type { EventEmitter } from 'node:events'
import * as message from './messages.ts'

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

/** Emits a message of BEP 3 or BEP 6, which must be well-formed. Others are ignored. */
export function emitMessage(wire: EventEmitter<WireEvents>, bytes: Buffer): void {
  switch (bytes[0]) {
    case message.CHOKE:
      return void wire.emit('choke')
    case message.UNCHOKE:
      return void wire.emit('unchoke')
    case message.HAVE:
      return void wire.emit('have', bytes.readUInt32BE(1))
    case message.BITFIELD:
      return void wire.emit('bitfield', bytes.subarray(1))
    case message.REQUEST:
      return void wire.emit('request', ...blockOf(bytes))
    case message.PIECE:
      return void wire.emit('piece', bytes.readUInt32BE(1), bytes.readUInt32BE(5), bytes.subarray(9))
    case message.CANCEL:
      return void wire.emit('cancel', ...blockOf(bytes))
    case message.HAVE_ALL:
      return void wire.emit('have-all')
    case message.HAVE_NONE:
      return void wire.emit('have-none')
    case message.REJECT:
      return void wire.emit('reject', ...blockOf(bytes))
  }
}

const blockOf = (bytes: Buffer): [piece: number, offset: number, length: number] => [
  bytes.readUInt32BE(1),
  bytes.readUInt32BE(5),
  bytes.readUInt32BE(9),
]
