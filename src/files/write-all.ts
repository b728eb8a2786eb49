import { writeSync } from 'node:fs'

/** Writes all of `bytes` to an open file: one call of write(2) may take less. Throws what the file system throws. */
export function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
}
