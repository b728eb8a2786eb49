import { MurderError } from '../errors.ts'
import { defined } from '../system/defined.ts'
import type { AgentEvent } from './events.ts'

type Failed = AgentEvent & { event: 'failed' }

export function failedEvent({ code, message, exitCode, cure, step }: MurderError): Failed {
  return { event: 'failed', code, message, exitCode, ...defined({ cure, step }) }
}

/** The error that another process reported. */
export function errorOf({ code, message, exitCode, cure }: Failed): MurderError {
  return new MurderError(code, message, { exitCode, ...defined({ cure }) })
}
