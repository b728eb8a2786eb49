import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { MurderError } from '../../errors.ts'
import { AwakeTimer } from '../../system/awake-timer.ts'
import { endingWithUs } from '../../system/end-with-us.ts'
import { oneLine } from '../../text/format.ts'

/** How much of the end of a command's output is kept. */
const MAX_OUTPUT_CHARACTERS = 2000
/**
 * Time for output that is still on its way when the command has ended. A background program may keep the pipe open for longer.
 */
const FLUSH_MS = 50

export interface LocalCommand {
  /** Its name in messages: the setting. */
  name: string
  command: string
  env: Readonly<Record<string, string>>
  /** 0 is no limit. */
  timeoutS: number
  /** Its standard input. */
  input?: string
  signal?: AbortSignal | undefined
}

/**
 * Runs the user's own command on the deploy host, in a process group of its own, so that Ctrl-C leaves it alone; but it ends when
 * this process is killed. Returns why it failed. Does not wait for a program that it leaves in the background.
 */
export async function runHere(order: LocalCommand): Promise<MurderError | undefined> {
  const { command, env, timeoutS, signal, name, input } = order
  if (signal?.aborted) return signal.reason as MurderError
  const child = spawn('/bin/sh', endingWithUs(command), {
    detached: true,
    env: { ...process.env, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  // There are no streams where too many files are open.
  const streams: readonly (Readable | Writable | null | undefined)[] = child.stdio ?? []
  const watch = streams[3] as Writable | undefined
  watch?.on('error', () => {}) // The command has ended with all of its group.
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARACTERS)
    })
  child.stdin?.on('error', () => {}) // It need not read its input.
  child.stdin?.end(input)
  let isLate = false
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  const late = () => {
    isLate = true
    kill()
  }
  const timer = timeoutS > 0 ? new AwakeTimer(timeoutS, late) : undefined
  signal?.addEventListener('abort', kill)
  const code = await new Promise<number | string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (exitCode, by) => {
      watch?.end('done\n')
      setTimeout(() => resolve(exitCode ?? by), FLUSH_MS)
    })
  })
  timer?.stop()
  signal?.removeEventListener('abort', kill)
  for (const stream of streams) stream?.destroy()
  child.unref()
  if (signal?.aborted) return signal.reason as MurderError
  if (code === 0) return undefined
  const said = oneLine(output.trim().split('\n').slice(-3).join(' '))
  const why = isLate
    ? `was not done after ${timeoutS} s`
    : typeof code === 'number'
      ? `ended with exit code ${code}`
      : `failed (${code})`
  return new MurderError('HOOK_FAILED', `${name} ${why}${said === '' ? '' : `: ${said}`}`, {
    ...(isLate ? { cure: 'see why it takes so long, or raise murder.timeouts.hook' } : {}),
  })
}
