import { createInterface, type ReadLineOptions } from 'node:readline/promises'
import { ExitCode, MurderError } from '../../errors.ts'
import { pause } from '../../system/backoff.ts'
import type { TaskContext } from '../context/context.ts'

/** A pause that asks needs somebody who answers. Throws NO_TERMINAL. */
export function checkPause({ settings }: Pick<TaskContext, 'settings'>): void {
  if (settings.rollout.pause !== 'ask' || process.stdin.isTTY) return
  throw new MurderError(
    'NO_TERMINAL',
    'murder.rollout.pause is ask, but nobody can be asked: there is no terminal',
    {
      exitCode: ExitCode.usage,
      cure: 'run it on a terminal, or set MURDER_ROLLOUT_PAUSE to a number of seconds',
    },
  )
}

/** Waits, or asks. Gives whether to go on. Throws the reason of the signal. */
export async function pauseBefore(
  context: TaskContext,
  next: string,
  terminal: ReadLineOptions = { input: process.stdin, output: process.stdout },
): Promise<boolean> {
  const { settings, shipit, signal, display } = context
  const seconds = settings.rollout.pause
  if (seconds === 0) return true
  if (seconds !== 'ask') {
    shipit.log(`Waiting ${seconds} s before ${next}`)
    await pause(seconds, signal)
    return true
  }
  display.finish()
  // The terminal stays as it is: then Ctrl-C is a signal as elsewhere, and there is nothing to restore on one that is gone.
  const prompt = createInterface({ ...terminal, terminal: false })
  // Whoever cannot answer says no: Ctrl-D, or a terminal that is gone.
  const gone = new Promise<string>((resolve) => {
    for (const event of ['close', 'error']) prompt.once(event, () => resolve(''))
  })
  const asked = prompt.question(`Go on with ${next}? [y/N] `, { signal }).catch(() => '')
  try {
    const answer = await Promise.race([asked, gone])
    signal.throwIfAborted()
    return /^\s*y(es)?\s*$/i.test(answer)
  } finally {
    prompt.close()
  }
}
