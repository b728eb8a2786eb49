import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'

/**
 * A free name in the directory of `path`, for what is then renamed to it. It is short whatever the name is: one of 255 bytes
 * is valid and leaves no room for a suffix.
 */
export const draftBeside = (path: string): string =>
  join(dirname(path), `.murder-${randomBytes(6).toString('hex')}`)
