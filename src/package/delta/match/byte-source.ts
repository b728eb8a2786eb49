import { closeSync, readSync } from 'node:fs'

/** Bytes that are read at any place, as of an open file. */
export interface ByteSource {
  readonly size: number
  /** Fills `into` from `position` on, as far as there are bytes. Returns their number. */
  read(into: Uint8Array, position: number): number
  close(): void
}

export function fileSource(fd: number, size: number): ByteSource {
  return {
    size,
    read(into, position) {
      const wanted = Math.min(into.length, size - position)
      let done = 0
      while (done < wanted) {
        const length = readSync(fd, into, done, wanted - done, position + done)
        if (length === 0) break
        done += length
      }
      return done
    },
    close: () => closeSync(fd),
  }
}

export const bufferSource = (bytes: Buffer): ByteSource => ({
  size: bytes.length,
  read: (into, position) => bytes.copy(into, 0, position),
  close() {},
})

/** Bytes of a source from `start` to `end`, in memory. Undefined when it has become shorter. */
export function readRange(source: ByteSource, start: number, end: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(end - start)
  return source.read(bytes, start) === bytes.length ? bytes : undefined
}
