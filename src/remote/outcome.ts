import { ExitCode, MurderError } from '../errors.ts'
import { diagnose, outOfTime } from './diagnose.ts'
import type { SessionResult } from './session.ts'

/** The failure that a finished session stands for; undefined when it succeeded: started, exit code 0, not ended by us. */
export function judge(
  result: SessionResult,
  server: string,
  step: string,
  signal: AbortSignal,
): MurderError | undefined {
  const { stop, exitCode, started } = result
  if (!stop) return exitCode === 0 && started ? undefined : diagnose({ ...result, server, step })
  switch (stop.why) {
    case 'abort':
      return abortError(signal, server, step)
    case 'output':
      return new MurderError('OUTPUT_TOO_LONG', `${server}: ${step}: it printed more than expected`, {
        server,
        step,
      })
    case 'error':
      return failure(stop.error, server, step)
    default:
      return outOfTime(stop.why, stop.seconds, server, step)
  }
}

/** Why work on a server was given up from outside: the abort's own reason when it is a MurderError. */
export function abortError(signal: AbortSignal, server: string, step: string): MurderError {
  if (signal.reason instanceof MurderError) return failure(signal.reason, server, step)
  return new MurderError('INTERRUPTED', `${server}: ${step}: interrupted`, {
    server,
    step,
    exitCode: ExitCode.interrupted,
  })
}

/** `error` as a failure of this server: a MurderError keeps code, step, cure and exit code. */
export function failure(error: unknown, server: string, step: string): MurderError {
  if (error instanceof MurderError && error.server !== undefined) return error
  const message = error instanceof Error ? error.message : String(error)
  const known = error instanceof MurderError ? error : undefined
  const at = known?.step ?? step
  return new MurderError(known?.code ?? 'FAILED', `${server}: ${at}: ${message}`, {
    server,
    step: at,
    cause: error,
    ...(known ? { exitCode: known.exitCode } : {}),
    ...(known?.cure === undefined ? {} : { cure: known.cure }),
  })
}
