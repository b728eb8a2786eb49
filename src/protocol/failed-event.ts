import { ExitCode, MurderError } from '../errors.ts'
import { defined } from '../system/defined.ts'
import type { AgentEvent } from './events.ts'

type Failed = AgentEvent & { event: 'failed' }

export function failedEvent({ code, message, exitCode, cure, step }: MurderError): Failed {
  return { event: 'failed', code, message, exitCode, ...defined({ cure, step }) }
}

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

/** The error that another process reported. It may be of another version, or lie: only values of the right type count. */
export function errorOf(failed: { [Name in keyof Failed]?: unknown }): MurderError {
  const { exitCode } = failed
  const details = { cure: textOf(failed.cure), step: textOf(failed.step) }
  return new MurderError(
    textOf(failed.code) ?? 'FAILED',
    textOf(failed.message) ?? 'it failed, and does not say why',
    {
      exitCode: Number.isInteger(exitCode) && exitCode !== 0 ? Number(exitCode) : ExitCode.failed,
      ...defined(details),
    },
  )
}
