/** Exit codes of every program in this project (DESIGN: the agent's command line). */
export const ExitCode = { done: 0, failed: 1, usage: 2, stalled: 3, interrupted: 130 } as const

/**
 * What went wrong, in the user's terms: `message` says what and where in one line, `cure` says what to do.
 * `code` is stable and greppable; `server` and `step` are filled in where a fleet is involved.
 */
export class MurderError extends Error {
  override readonly name = 'MurderError'
  readonly code: string
  readonly exitCode: number
  readonly server: string | undefined
  readonly step: string | undefined
  readonly cure: string | undefined

  constructor(
    code: string,
    message: string,
    details: { exitCode?: number; server?: string; step?: string; cure?: string; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.exitCode = details.exitCode ?? ExitCode.failed
    this.server = details.server
    this.step = details.step
    this.cure = details.cure
  }
}

/** The error of a run that Ctrl-C has ended. `cure` describes the state that is left. */
export const interrupted = (cure: string): MurderError =>
  new MurderError('INTERRUPTED', 'Interrupted', { exitCode: ExitCode.interrupted, cure })

/** One line for people: the message, then what to do. Never a stack trace. */
export function explain(error: unknown): string {
  if (error instanceof MurderError) return error.cure ? `${error.message} — ${error.cure}` : error.message
  return error instanceof Error ? error.message : String(error)
}

/** Whether `error` is a Node system error with one of these codes (`ENOENT`, `EADDRINUSE`, …). */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of its path is not a directory',
  EISDIR: 'it is a directory',
  EIO: 'input/output error of the disk',
  ENAMETOOLONG: 'its path is too long for this system',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  ELOOP: 'too many symlinks',
  EROFS: 'read-only file system',
  EEXIST: 'something else is there',
}

/** The system's error in words. */
export function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  if (code !== undefined && reasons[code] !== undefined) return reasons[code]
  return cause instanceof Error ? cause.message : String(cause)
}
