import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stopIfAborted } from './file-errors.ts'

const READ_BYTES = 1024 * 1024

/** SHA-256 of bytes or of a text, hex. */
export const sha256Of = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex')

/** SHA-256 of a file's content, hex. Throws when `signal` aborts. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    stopIfAborted(signal)
    hash.update(chunk)
  }
  return hash.digest('hex')
}
