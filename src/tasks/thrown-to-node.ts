import { explain, type MurderError } from '../errors.ts'
import { exitWith } from './exit-code.ts'

/** Shipit's command line lets Node print what is thrown before any task runs, with stack and fields: here both say one line. */
export function thrownToNode(error: MurderError): MurderError {
  for (const field of Object.keys(error)) Object.defineProperty(error, field, { enumerable: false })
  error.stack = explain(error)
  exitWith(error.exitCode)
  return error
}
