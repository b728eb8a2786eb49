import { areZeros, digestOfZeros, hashOfZeros } from './zeros.ts'

/** SHA-1 of the consecutive pieces of a stream. Its chunks may have any length. */
export class PieceHasher {
  readonly #pieceLength: number
  readonly #hashes: Buffer[] = []
  #hash = hashOfZeros(0)
  #filled = 0
  /** All bytes of the present piece so far are zeros, and none is in `#hash` yet. */
  #isEmpty = true

  constructor(pieceLength: number) {
    this.#pieceLength = pieceLength
  }

  update(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      const end = Math.min(chunk.length, at + this.#pieceLength - this.#filled)
      this.#add(chunk.subarray(at, end))
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

  #add(part: Uint8Array): void {
    if (this.#isEmpty && areZeros(part)) return
    if (this.#isEmpty) this.#hash = hashOfZeros(this.#filled)
    this.#isEmpty = false
    this.#hash.update(part)
  }

  #cut(): void {
    this.#hashes.push(this.#isEmpty ? digestOfZeros(this.#filled) : this.#hash.digest())
    this.#filled = 0
    this.#isEmpty = true
  }
}

/** Whether `digest` is the hash that the torrent lists for `piece`. */
export function pieceIsRight(pieces: Uint8Array, piece: number, digest: Uint8Array): boolean {
  return Buffer.compare(pieces.subarray(piece * 20, piece * 20 + 20), digest) === 0
}
