import { MurderError } from '../errors.ts'
import type { AgentEvent } from './events.ts'

type Failed = AgentEvent & { event: 'failed' }

export function failedEvent({ code, message, exitCode, cure, step }: MurderError): Failed {
  return { event: 'failed', code, message, exitCode, ...(cure ? { cure } : {}), ...(step ? { step } : {}) }
}

/** The error that another process reported. */
export function errorOf({ code, message, exitCode, cure }: Failed): MurderError {
  return new MurderError(code, message, { exitCode, ...(cure ? { cure } : {}) })
}
