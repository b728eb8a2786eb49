import { MurderError } from '../../errors.ts'

const CAUSES: Record<string, [what: string, cure: string]> = {
  ENOENT: ['does not exist', 'check the path'],
  EACCES: ['may not be read or written by this user', 'check its permissions, or name another path'],
  EPERM: ['may not be changed by this user', 'check its owner and attributes, or name another path'],
  EROFS: ['is on a read-only file system', 'name another path'],
  ENOTDIR: ['leads through something that is not a directory', 'check the path'],
  EISDIR: ['is a directory', 'name a file'],
  EEXIST: ['exists already', 'remove it, or name another path'],
  ELOOP: ['leads through too many symlinks', 'check the path'],
  ENAMETOOLONG: ['is a longer name than the file system takes', 'name a shorter path'],
  ENOSPC: ['cannot be written: the disk is full', 'free some space and run this again'],
  EDQUOT: ["cannot be written: this user's disk quota is used up", 'free some space and run this again'],
  EMFILE: ['cannot be opened: this process has too many files open', 'raise the limit (ulimit -n)'],
  EIO: ['cannot be read or written: the disk reports an error', "look at the system's log"],
}

/** Any error as one line for people. An error that is not in the table keeps its own message. */
export function plainError(error: unknown): MurderError {
  if (error instanceof MurderError) return error
  const { code = '', path, dest, message } = error as NodeJS.ErrnoException & { dest?: string }
  const known = CAUSES[code]
  if (known) {
    const where = dest ?? path ?? 'a file'
    return new MurderError(code, `${where} ${known[0]}`, { cure: known[1], cause: error })
  }
  return new MurderError(code || 'FAILED', firstLine(message ?? String(error)), { cause: error })
}

const firstLine = (text: string) => text.split('\n', 1)[0] || 'failed for an unknown reason'
