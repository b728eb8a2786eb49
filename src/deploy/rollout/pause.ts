import { createInterface } from 'node:readline/promises'
import { ExitCode, MurderError } from '../../errors.ts'
import { pause } from '../../system/backoff.ts'
import type { Context } from '../context/context.ts'

/** A pause that asks needs somebody who answers. Throws NO_TERMINAL. */
export function checkPause({ settings }: Pick<Context, 'settings'>): void {
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
export async function pauseBefore(context: Context, next: string): Promise<boolean> {
  const { settings, shipit, signal, display } = context
  const seconds = settings.rollout.pause
  if (seconds === 0) return true
  if (seconds !== 'ask') {
    shipit.log(`Waiting ${seconds} s before ${next}`)
    await pause(seconds, signal)
    return true
  }
  display.finish()
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-C would end the prompt alone.
  prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await prompt.question(`Go on with ${next}? [y/N] `, { signal })
    return /^\s*y(es)?\s*$/i.test(answer)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    prompt.close()
  }
}
