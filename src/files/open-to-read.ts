import { constants, openSync } from 'node:fs'

/** Opens a file to read it. Fails for a symlink, and does not wait for the other end of a named pipe. */
export const openToRead = (path: string | Buffer): number =>
  openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
