import { execFile } from 'node:child_process'
import { sshCommand } from '../options.ts'
import type { Server } from '../server.ts'

const ANSWER_TIMEOUT_MS = 5000

/** What `ssh -G` says it would do, because ~/.ssh/config may change everything; empty when ssh says nothing. */
export function configurationOf(server: Server): Promise<string> {
  const command = sshCommand(server, 'true').replace(/^ssh /, 'exec ssh -G ')
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', command], { timeout: ANSWER_TIMEOUT_MS }, (_, stdout) => resolve(stdout))
  })
}

/** The value of a keyword, in lower case, in what `ssh -G` prints; undefined where there is none. */
export const valueIn = (configuration: string, keyword: string): string | undefined =>
  new RegExp(`^${keyword} (.*)$`, 'm').exec(configuration)?.[1]
