import { explain, type MurderError } from '../errors.ts'

/**
 * Before any task runs, Shipit's command line lets Node print a thrown error with its stack, and lines of Node's own. This makes
 * it one line, and the exit code that of the error. Code that catches the error, or all errors, gets it as it is.
 */
export function thrownToNode(error: MurderError): MurderError {
  process.on('uncaughtExceptionMonitor', (thrown) => {
    const isCaught = process.listenerCount('uncaughtException') > 0
    if (thrown !== error || isCaught || process.env.MURDER_DEBUG === '1') return
    process.stderr.write(`${explain(error)}\n`)
    process.exit(error.exitCode)
  })
  return error
}
