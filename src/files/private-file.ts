import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeWhole } from './write-whole.ts'

/** Writes a file for this user only. It appears whole, because a tracker may read it at any moment. */
export async function writePrivate(path: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  writeWhole(path, text, { mode: 0o600 })
}
