import type { Shipit } from '../../src/shipit.ts'

/** The parts of Shipit that are not in its types: where its log and the output of its commands go. */
interface Loud {
  options: { log: (...args: unknown[]) => void; stdout?: unknown; stderr?: unknown }
  prependListener(event: string, listener: (...args: never[]) => void): unknown
}

/**
 * Shortens Shipit's log to one line for each task, failures, and the lines of this plugin. Commands, their output and the
 * remarks of shipit-deploy's own tasks are left out. Call it in a shipitfile.
 */
export function quiet(shipit: Shipit): void {
  const loud = shipit as unknown as Loud
  const { options } = loud
  const { log } = options
  let running: string | undefined
  options.stdout = undefined
  options.stderr = undefined
  options.log = (...args) => {
    if (isCommonplace(args)) return
    if (running === undefined || isOurs(running)) log(...args)
  }
  shipit.on('task_start', ({ task }: { task: string }) => {
    running = task
  })
  // Before Shipit's own listeners, which log that it has ended.
  for (const ending of ['task_stop', 'task_err']) {
    loud.prependListener(ending, () => {
      running = undefined
    })
  }
}

/** Lines about the begin of a task, about a command, or about the end of a task that only names others (it has no time). */
function isCommonplace([first, ...rest]: unknown[]): boolean {
  const text = String(first).trimStart()
  return text.startsWith('Running') || (text === 'Finished' && rest[1] !== 'after')
}

const isOurs = (task: string) => task === 'deploy:update' || task.startsWith('murder:')
