import { closeSync, openSync } from 'node:fs'
import { writeAll } from './write-all.ts'

/**
 * Makes `file`, for this user alone, of what `receive` gives, at most `limit` bytes of it. More than that throws what `tooLong`
 * makes.
 */
export async function intoFile<Result>(
  file: string,
  { limit, tooLong }: { limit: number; tooLong: () => Error },
  receive: (onBytes: (chunk: Buffer) => void) => Promise<Result>,
): Promise<Result> {
  const fd = openSync(file, 'w', 0o600)
  let length = 0
  try {
    return await receive((chunk) => {
      length += chunk.length
      if (length > limit) throw tooLong()
      writeAll(fd, chunk)
    })
  } finally {
    closeSync(fd)
  }
}
