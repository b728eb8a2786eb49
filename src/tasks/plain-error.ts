import { inspect } from 'node:util'
import { explain, MurderError } from '../errors.ts'

/**
 * The same error, made to print as plain lines: Shipit prints `err.stack` unless `err.showStack` is a boolean, and
 * then `err.toString()`. With MURDER_DEBUG=1 the stack and all causes are shown.
 */
export function plainError(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return Object.assign(error, { showStack: false, toString: () => text(error) })
}

function text(error: Error): string {
  if (process.env.MURDER_DEBUG === '1') return inspect({ ...error, error: error.stack, cause: error.cause })
  if (error instanceof MurderError) return explain(error)
  return `Unexpected ${error.name}: ${error.message} — set MURDER_DEBUG=1 to see where it comes from`
}
