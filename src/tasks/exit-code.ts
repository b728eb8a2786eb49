import { ExitCode, MurderError } from '../errors.ts'
import type { Shipit, TaskFailure } from '../shipit.ts'

const hooked = new WeakSet<Shipit>()

/**
 * Makes the process end with the exit code of the error that a task failed with.
 *
 * Shipit's command line ends with `process.exit(1)` on every `task_err`. Its listener comes after this one, so this one
 * cannot exit itself without taking the event from other plugins. Instead it changes the code on the way out, and only
 * when it is that 1: a program that runs Shipit by other means keeps its own.
 */
export function keepExitCode(
  shipit: Shipit,
  host: Pick<NodeJS.Process, 'once' | 'exitCode'> = process,
): void {
  if (hooked.has(shipit)) return
  hooked.add(shipit)
  shipit.on('task_err', ({ err }: TaskFailure) => {
    if (err instanceof MurderError) exitWith(err.exitCode, host)
  })
}

/** If this process ends with 1, makes it end with this code instead. */
function exitWith(exitCode: number, host: Pick<NodeJS.Process, 'once' | 'exitCode'> = process): void {
  host.once('exit', (code) => {
    if (code === ExitCode.failed) host.exitCode = exitCode
  })
}

/** `end` runs when this process ends. It gets the exit code and returns the new one. */
export function watchExit(
  end: (code: number) => number,
  host: Pick<NodeJS.Process, 'once' | 'exitCode'> = process,
): void {
  host.once('exit', (code) => {
    host.exitCode = end(code)
  })
}
