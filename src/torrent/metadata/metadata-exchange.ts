import type { Connection } from '../peers/connection.ts'
import type { SwarmContext } from '../swarm-context.ts'
import { METADATA_EXTENSION } from '../wire/extensions.ts'
import { decodeMetadataMessage, encodeData, encodeReject, encodeRequest, piecesOf } from './messages.ts'
import { MetadataPicker } from './metadata-picker.ts'
import { MetadataUploadPolicy } from './upload-policy.ts'

/** A neighbour with more unsent bytes than this does not read, so its requests are not even rejected. */
const MAX_QUEUED_BYTES = 1024 * 1024

export interface MetadataEvents {
  /** So many bytes of metadata were sent. They count towards the same limits as content. */
  sent(connection: Connection, bytes: number): void
  /** The info dictionary is here, and verified. */
  verified(info: Uint8Array): void
  /** The whole info dictionary came from this neighbour, and it is wrong. */
  sentWrong(connection: Connection): void
}

/**
 * Exchanges the torrent's info dictionary with neighbours (BEP 9). So a peer needs only an infohash to begin, and the piece
 * hashes leave the seeder about once.
 */
export class MetadataExchange {
  readonly #context: SwarmContext
  readonly #events: MetadataEvents
  readonly #giving: MetadataUploadPolicy
  /** Undefined when the metadata is complete. */
  #picker: MetadataPicker | undefined
  readonly #partners = new Map<number, Connection>()

  constructor(context: SwarmContext, events: MetadataEvents) {
    const { options, local, metadata } = context
    this.#context = context
    this.#events = events
    this.#giving = new MetadataUploadPolicy(metadata.pieceCount, local.isSeeder && options.fleet !== 1)
    if (!metadata.info) this.#picker = new MetadataPicker(metadata.pieceCount, Math.random)
  }

  /** Called when the neighbour has proved that it belongs to the swarm, if the swarm has a secret. */
  join(connection: Connection): void {
    this.#partners.set(connection.id, connection)
    connection.wire.on('extended', (extension, content) => {
      if (extension === METADATA_EXTENSION) this.#heard(connection, content)
    })
    connection.wire.on('extended-handshake', () => this.#describe(connection))
    this.#describe(connection)
  }

  leave({ id }: Connection): void {
    this.#partners.delete(id)
    this.#giving.leave(id)
    this.#picker?.leave(id)
    this.#ask()
  }

  /** Called often. */
  tick(): void {
    this.#ask()
  }

  #describe(connection: Connection): void {
    const { id, wire, metadataSize, isSeeder } = connection
    this.#tell(connection)
    if (!this.#picker || !wire.peerExtendedMapping[METADATA_EXTENSION]) return
    this.#picker.describe(id, { hasAll: metadataSize === this.#context.metadata.size, isSeeder })
    this.#ask()
  }

  /** Tells neighbours that the metadata is complete here, where that may help. */
  #tell(connection: Connection): void {
    if (connection.metadataSize !== this.#context.metadata.size) connection.tellNews()
  }

  #ask(): void {
    if (!this.#picker) return
    for (const { id, piece } of this.#picker.next(this.#context.nowS()))
      this.#partners.get(id)?.wire.extended(METADATA_EXTENSION, encodeRequest(piece))
  }

  #heard(connection: Connection, content: Buffer): void {
    const message = decodeMetadataMessage(content)
    if (message?.type === 'request') this.#answer(connection, message.piece)
    else if (message?.type === 'data') this.#take(connection, message.piece, message.bytes)
    else if (message?.type === 'reject') {
      const has = message.has && piecesOf(message.has)
      this.#picker?.rejected(connection.id, message.piece, this.#context.nowS(), has)
      this.#ask()
    }
  }

  #answer(connection: Connection, piece: number): void {
    const { wire, id } = connection
    if (wire.queuedBytes > MAX_QUEUED_BYTES) return
    const { metadata, nowS } = this.#context
    const bytes = metadata.piece(piece)
    if (bytes && this.#giving.gives({ id, isAgent: wire.isAgent }, piece, nowS())) {
      this.#events.sent(connection, bytes.length)
      wire.extended(METADATA_EXTENSION, encodeData(piece, metadata.size, bytes))
    } else
      wire.extended(METADATA_EXTENSION, encodeReject(piece, wire.isAgent ? metadata.bitfield : undefined))
  }

  #take(connection: Connection, piece: number, bytes: Buffer): void {
    const picker = this.#picker
    const { metadata, nowS } = this.#context
    if (!picker?.wants(connection.id, piece) || !metadata.put(piece, bytes)) return
    picker.arrived(connection.id, piece, nowS())
    if (picker.isComplete) this.#verify(picker)
    this.#ask()
  }

  #verify(picker: MetadataPicker): void {
    const { metadata, local } = this.#context
    if (metadata.verify()) {
      this.#picker = undefined
      local.metadataSize = metadata.size
      for (const connection of this.#partners.values()) this.#tell(connection)
      this.#events.verified(metadata.info as Uint8Array)
      return
    }
    const guilty = this.#partners.get(picker.wrong() ?? -1)
    if (guilty) this.#events.sentWrong(guilty)
  }
}
