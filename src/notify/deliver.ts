import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { placeOf, post } from '../outbound/post.ts'

/** The text of a notice and its receivers: a webhook, a command, or both. */
export interface Notice {
  url?: string | undefined
  command?: string | undefined
  /** JSON. */
  body: string
}

/** Pauses between attempts; there is one more attempt than pauses. */
const PAUSES_S = [1, 2, 4, 8]
const ANSWER_TIMEOUT_MS = 10_000
const COMMAND_TIMEOUT_MS = 60_000

/** Delivers to both, each with retries. Returns a line for each receiver that has failed. */
export async function deliver(
  { url, command, body }: Notice,
  { pausesS = PAUSES_S, timeoutMs = COMMAND_TIMEOUT_MS } = {},
): Promise<string[]> {
  const failed = await Promise.all([
    url === undefined ? undefined : attempts(() => call(new URL(url), body), pausesS),
    command === undefined ? undefined : attempts(() => run(command, body, timeoutMs), pausesS),
  ])
  return failed.filter((line) => line !== undefined)
}

/** Why an attempt failed, and whether another one may help. */
interface Failed {
  why: string
  isFinal?: boolean
}

async function attempts(
  attempt: () => Promise<Failed | undefined>,
  pausesS: readonly number[],
): Promise<string | undefined> {
  for (const seconds of [...pausesS, 0]) {
    const failed = await attempt()
    if (failed === undefined) return undefined
    if (failed.isFinal || seconds === 0) return failed.why
    await pause(seconds * 1000)
  }
  return undefined
}

async function call(url: URL, body: string): Promise<Failed | undefined> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  const late = `no answer within ${ANSWER_TIMEOUT_MS / 1000} s`
  try {
    const status = await post({ url, body: Buffer.from(body), signal, late })
    if (status >= 200 && status < 300) return undefined
    const isFinal = status < 500 && status !== 408 && status !== 429
    return { why: `${placeOf(url)} answered with status ${status}`, isFinal }
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) }
  }
}

/** The command gets the notice on its standard input. When it is late it is ended with all that it waits for, and not tried again. */
function run(command: string, body: string, timeoutMs: number): Promise<Failed | undefined> {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  let isFinal = false
  const timer = setTimeout(() => {
    isFinal = true
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, timeoutMs)
  child.stdin.on('error', () => {}) // It need not read its input.
  child.stdin.end(`${body}\n`)
  return new Promise((resolve) => {
    const end = (why: string | undefined) => {
      clearTimeout(timer)
      resolve(why === undefined ? undefined : { why, isFinal })
    }
    child.once('error', (error) => end(`murder.notify.command: ${error.message}`))
    child.once('exit', (code, signal) => {
      const how = isFinal
        ? `was not done after ${timeoutMs / 1000} s`
        : `ended with ${code === null ? signal : `exit code ${code}`}`
      end(code === 0 ? undefined : `murder.notify.command ${how}`)
    })
  })
}
