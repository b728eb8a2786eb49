import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What joins a site to the first one, both ways alike. */
export interface LongLink {
  /** Bits/s. */
  rate: number
  /** One way. */
  delayMs: number
  lossPercent: number
  queueBytes: number
}

/** The device at both ends; of each site one, in the switch of the first. */
export const longLinkDevice = (site: number | ''): string => `far${site}`

const source = join(process.cwd(), 'test', 'support', 'lab', 'long-link.c')

/** Builds the program that is a long link: few kernels of build machines have netem. */
export async function buildLongLink(directory: string): Promise<string> {
  const program = join(directory, 'long-link')
  await promisify(execFile)('cc', ['-O2', '-Wall', '-o', program, source]).catch((error: Error) => {
    throw new Error(`the program for long links cannot be built (apt-get install gcc): ${error.message}`)
  })
  return program
}

/** `from` and `to` are processes in the two network namespaces. */
export async function startLongLink(
  program: string,
  { from, to, device, link }: { from: number; to: number; device: string; link: LongLink },
): Promise<ChildProcess> {
  const { rate, delayMs, lossPercent, queueBytes } = link
  const numbers = [rate, delayMs, lossPercent, queueBytes].map(String)
  const child = spawn(program, [String(from), String(to), device, ...numbers])
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  child.stdin.on('error', () => undefined)
  const [ready] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  if (String(ready).trim() !== 'ready') throw new Error(`a long link did not start: ${stderr.trim()}`)
  return child
}
