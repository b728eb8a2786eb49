import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
/** Writes a file for this user only. It appears whole, because a tracker may read it at any moment. */
export async function writePrivate(path: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  await writeFile(draft, text, { mode: 0o600 })
  await rename(draft, path)
}
