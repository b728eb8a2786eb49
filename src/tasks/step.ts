import { type Context, taskContextOf } from '../deploy/context/context.ts'
import type { Shipit } from '../shipit.ts'
import { type Registration, task } from './task.ts'

/** Registers a task that is one step. Ctrl-C ends it in order, and the display ends with it. */
export function step(
  name: string,
  run: (context: Context) => Promise<void>,
  dry?: 'same' | ((shipit: Shipit) => void),
): Registration {
  return (shipit) => {
    const work = async () => {
      const context = taskContextOf(shipit)
      try {
        await context.interrupt.during(() => run(context))
      } finally {
        context.display.finish()
      }
      context.signal.throwIfAborted()
    }
    task(shipit, name, work, typeof dry === 'function' ? () => dry(shipit) : dry)
  }
}
