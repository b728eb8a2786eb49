import { ExitCode, explain, interrupted } from '../../errors.ts'
import type { Shipit } from '../../shipit.ts'
import { removeShallowClones } from './shallow-clone.ts'

/**
 * The first Ctrl-C lets the running step end and tidy up; the second one, or one while another plugin's task runs, ends
 * the process at once.
 */
export function onInterrupt(shipit: Shipit, controller: AbortController, isBusy: () => boolean): () => void {
  const stop = () => {
    if (controller.signal.aborted || !isBusy()) {
      removeShallowClones(shipit)
      const now = controller.signal.aborted
        ? 'at once: something may be left'
        : 'what was done until now stays'
      process.stderr.write(`${explain(interrupted(now))}\n`)
      process.exit(ExitCode.interrupted)
    }
    controller.abort(interrupted('nothing was published; run it again when you like'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  // After ours is there: without any listener, a signal that has come but was not yet told would be lost.
  const silenced = process.listeners('SIGINT').filter(endsAtOnce)
  for (const listener of silenced) process.off('SIGINT', listener)
  return () => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    for (const listener of silenced) process.on('SIGINT', listener)
  }
}

/**
 * The package `tmp`, which shipit-deploy loads, answers Ctrl-C with exit code 0 before anything can be tidied. What it
 * removes then it also removes when the process exits.
 */
function endsAtOnce(listener: NodeJS.SignalsListener): boolean {
  return listener.name === '_tmp$sigint_listener'
}
