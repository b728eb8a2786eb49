import { createHash } from 'node:crypto'

/** SHA-1 of the consecutive pieces of a stream. Its chunks may have any length. */
export class PieceHasher {
  readonly #pieceLength: number
  readonly #hashes: Buffer[] = []
  #hash = createHash('sha1')
  #filled = 0

  constructor(pieceLength: number) {
    this.#pieceLength = pieceLength
  }

  update(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      const end = Math.min(chunk.length, at + this.#pieceLength - this.#filled)
      this.#hash.update(chunk.subarray(at, end))
      this.#filled += end - at
      at = end
      if (this.#filled === this.#pieceLength) this.#cut()
    }
  }

  /** 20 bytes a piece; the last piece may be shorter than the others. */
  finish(): Buffer {
    if (this.#filled > 0) this.#cut()
    return Buffer.concat(this.#hashes)
  }

  #cut(): void {
    this.#hashes.push(this.#hash.digest())
    this.#hash = createHash('sha1')
    this.#filled = 0
  }
}

/** Whether `digest` is the hash that the torrent lists for `piece`. */
export function pieceIsRight(pieces: Uint8Array, piece: number, digest: Uint8Array): boolean {
  return Buffer.compare(pieces.subarray(piece * 20, piece * 20 + 20), digest) === 0
}
