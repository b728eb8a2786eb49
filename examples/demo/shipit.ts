import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { MurderError } from '../../src/errors.ts'
import { withoutGit } from './repository.ts'

export interface ShipitRun {
  /** Such as `production deploy`. */
  words: string[]
  /** Added to the environment. */
  env: Record<string, string>
  /** The interrupt is passed on, and then waited for: the deploy tidies up after itself. */
  signal: AbortSignal
}

/** How long an interrupted deploy may take to tidy up. */
const TIDY_TIMEOUT_S = 20

/** Runs this repository's `shipit` on this terminal. Throws SHIPIT_FAILED, or the signal's reason. */
export async function shipit({ words, env, signal }: ShipitRun): Promise<void> {
  signal.throwIfAborted()
  const bin = join('node_modules', 'shipit-cli', 'bin', 'shipit')
  // In a process group of its own, so that an interrupt reaches it only once: from here.
  const child = spawn(process.execPath, [bin, ...words], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: { ...plainEnvironment(), ...env },
  })
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const interrupt = async () => {
    signalGroup(child.pid, 'SIGINT')
    await Promise.race([ended, setTimeout(TIDY_TIMEOUT_S * 1000, undefined, { ref: false })])
    signalGroup(child.pid, 'SIGKILL')
  }
  const onAbort = () => void interrupt()
  signal.addEventListener('abort', onAbort, { once: true })
  const [code, killer] = await ended.finally(() => signal.removeEventListener('abort', onAbort))
  signal.throwIfAborted()
  if (code === 0) return
  throw new MurderError(
    'SHIPIT_FAILED',
    `shipit ${words.join(' ')} ended with ${killer ?? `exit code ${code}`}`,
  )
}

/** The user's environment without what would change the demo: settings of the plugin and variables of a git hook. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(withoutGit(process.env)).filter(
    ([name]) => !name.startsWith('MURDER_') || name === 'MURDER_OUTPUT',
  )
  return Object.fromEntries(kept)
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
