import { explain, type MurderError } from '../errors.ts'
import { exitWith } from './exit-code.ts'

/**
 * Before any task runs, Shipit's command line lets Node print a thrown error with its stack and fields. This makes it one line.
 */
export function thrownToNode(error: MurderError): MurderError {
  for (const field of Object.keys(error)) Object.defineProperty(error, field, { enumerable: false })
  error.stack = explain(error)
  exitWith(error.exitCode)
  return error
}
