import { isSystemError, MurderError, reason } from '../../errors.ts'
import { roomFor } from './disk-space.ts'

/** The error to throw for one of the file system, at `path`. `needed`: bytes of the whole content. */
export async function diskError(error: unknown, path: string, needed: number): Promise<unknown> {
  if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
    const room = await roomFor(needed, path)
    return new MurderError('DISK_FULL', `The disk is full: cannot write ${path}; the content takes ${room}`, {
      cure: 'free some space and run it again; what is here already is kept',
      cause: error,
    })
  }
  if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'EISDIR', 'ENOTDIR', 'EEXIST')) {
    return new MurderError('NO_ACCESS', `Cannot use ${error.path ?? path}: ${reason(error)}`, {
      cure: isSystemError(error, 'EACCES', 'EPERM')
        ? 'name a path of this user, or make it once as root: sudo install -d -o <user> <path>'
        : 'check that the path exists, is of the right kind and that this user may use it',
      cause: error,
    })
  }
  return error
}
