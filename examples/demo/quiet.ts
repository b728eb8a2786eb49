import type { Shipit } from '../../src/shipit.ts'

/** What this needs of Shipit besides its types: where its log and the output of its commands go. */
interface Loud {
  options: { log: (...args: unknown[]) => void; stdout?: unknown; stderr?: unknown }
  prependListener(event: string, listener: (...args: never[]) => void): unknown
}

/**
 * Leaves of Shipit's log one line a task, failures, and what this plugin says; every command, its output and the
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

/** A task that begins, a command that is run, or the end of a task that only stands for others (it has no time). */
function isCommonplace([first, ...rest]: unknown[]): boolean {
  const text = String(first).trimStart()
  return text.startsWith('Running') || (text === 'Finished' && rest[1] !== 'after')
}

const isOurs = (task: string) => task === 'deploy:update' || task.startsWith('murder:')
