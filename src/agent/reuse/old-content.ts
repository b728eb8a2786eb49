import { closeSync } from 'node:fs'
import { openToRead } from '../../files/open-to-read.ts'
import { fileSource } from '../../package/delta/match/byte-source.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import type { Storage } from '../../torrent/storage/storage.ts'
import type { Part } from './find-content.ts'

/** Memory for bytes that written pieces have replaced. */
const MAX_SAVED_BYTES = 64 << 20

/**
 * Reads local files as they were when content was found in them. Bytes that were overwritten since come from memory, if they were
 * saved.
 */
export class OldContent {
  readonly #metainfo: Metainfo
  readonly #storage: Storage
  readonly #saved = new Map<number, Buffer>()
  #savedBytes = 0

  constructor(metainfo: Metainfo, storage: Storage) {
    this.#metainfo = metainfo
    this.#storage = storage
  }

  /** Saves the bytes that a piece will replace, as long as there is memory. */
  async save(piece: number): Promise<void> {
    const { pieceLength, length } = this.#metainfo
    const start = piece * pieceLength
    const size = Math.min(pieceLength, length - start)
    if (this.#savedBytes + size > MAX_SAVED_BYTES) return
    this.#savedBytes += size
    this.#saved.set(piece, await this.#storage.read(start, Buffer.allocUnsafeSlow(size)))
  }

  /** Fills the beginning of `into` with a part, as far as it can be read. */
  read({ file, offset, length }: Part, into: Buffer): void {
    try {
      const fd = openToRead(file.path)
      try {
        fileSource(fd, file.size).read(into.subarray(0, length), offset)
      } finally {
        closeSync(fd)
      }
    } catch {
      return // The saved bytes are gone. What is here now is not the block, so it will be fetched.
    }
    if (!file.place || this.#saved.size === 0) return
    const { pieceLength } = this.#metainfo
    const start = file.place.position + offset
    const end = Math.min(file.place.position + file.place.length, start + length)
    for (let at = start; at < end; ) {
      const piece = Math.floor(at / pieceLength)
      const next = Math.min(end, (piece + 1) * pieceLength)
      const saved = this.#saved.get(piece)
      saved?.copy(into, at - start, at - piece * pieceLength, next - piece * pieceLength)
      at = next
    }
  }
}
