import { ExitCode, MurderError } from '../../errors.ts'
import { whenReaderLeaves } from './output.ts'

export type Interruption =
  /** By Ctrl-C, kill or a service manager. */
  | 'asked'
  /** The terminal or the SSH connection is gone. */
  | 'abandoned'

export interface Interrupt {
  signal: AbortSignal
  /** Why `signal` aborted. */
  reason(): Interruption | undefined
}

export const interruptedError = () =>
  new MurderError('INTERRUPTED', 'interrupted', { exitCode: ExitCode.interrupted })

/** Turns signals, a lost reader and, if wanted, the end of standard input into one abort. */
export function onInterrupt(options: { untilEof?: boolean } = {}): Interrupt {
  const controller = new AbortController()
  let reason: Interruption | undefined
  const interrupt = (why: Interruption) => () => {
    reason ??= why
    controller.abort(interruptedError())
  }
  process.on('SIGINT', interrupt('asked'))
  process.on('SIGTERM', interrupt('asked'))
  process.on('SIGHUP', interrupt('abandoned'))
  whenReaderLeaves(interrupt('abandoned'))
  if (options.untilEof) {
    for (const event of ['end', 'close', 'error']) process.stdin.on(event, interrupt('abandoned'))
    process.stdin.resume()
  }
  return { signal: controller.signal, reason: () => reason }
}
