import { ExitCode, isSystemError, MurderError, reason } from '../errors.ts'
import { shown } from './entry.ts'

/** Throws the reason when `signal` has been aborted. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  if (signal.reason instanceof MurderError) throw signal.reason
  throw new MurderError('INTERRUPTED', 'interrupted', {
    exitCode: ExitCode.interrupted,
    cause: signal.reason,
  })
}

/** The error for a file that changed or vanished after the release was scanned. */
export function changed(path: string, how: string, cause?: unknown): MurderError {
  return new MurderError('FILE_CHANGED', `${shown(path)} ${how} while it was packaged`, {
    cure: 'stop whatever writes into the release directory (or ignore this path), then deploy again',
    cause,
  })
}

/** What helps where neither the file nor its permissions are the cause. */
const CURES: Record<string, string> = {
  EMFILE: 'raise the limit of open files for this user (ulimit -n)',
  ENFILE: 'see what has so many files open on that machine (fs.file-nr), or raise fs.file-max',
  EIO: "look at that system's log: its disk reports errors",
}

export const cureOf = (cause: unknown, otherwise: string) =>
  CURES[(cause as NodeJS.ErrnoException | undefined)?.code ?? ''] ?? otherwise

export function unreadable(path: string, cause: unknown): MurderError {
  return new MurderError('FILE_UNREADABLE', `cannot read ${shown(path)}: ${reason(cause)}`, {
    cure: cureOf(cause, 'give the deploying user read access to it, or ignore this path'),
    cause,
  })
}

/** The error for a failed write to `path`, in one line. Errors that are not the system's are returned as they are. */
export function unwritable(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'syscall' in cause)) return cause
  const where = shown(path)
  if (isSystemError(cause, 'ENOSPC'))
    return new MurderError('DISK_FULL', `no space left on the disk of ${where}`, {
      cure: 'free space there, then run this again',
      cause,
    })
  if (isSystemError(cause, 'EDQUOT'))
    return new MurderError('DISK_FULL', `the disk quota is used up at ${where}`, {
      cure: 'free space or raise the quota of this user, then run this again',
      cause,
    })
  if (isSystemError(cause, 'EROFS'))
    return new MurderError('NOT_WRITABLE', `${where} is on a read-only file system`, {
      cure: 'choose a writable directory',
      cause,
    })
  return new MurderError('NOT_WRITABLE', `cannot write ${where}: ${reason(cause)}`, {
    cure: cureOf(cause, 'check that this user may write there'),
    cause,
  })
}
