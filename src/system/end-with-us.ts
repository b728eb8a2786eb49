import { spawn } from 'node:child_process'

/** Kills the process group `$1` when its input ends without a line. */
const WATCH = 'read -r x || kill -s KILL -- "-$1"'

/**
 * Lets a process group end with this process, however that ends: a command of a killed run must not go on. Returns what stops that
 * once the command is done; a program that it has left in the background then stays.
 */
export function endWithUs(group: number): () => void {
  const watch = spawn('/bin/sh', ['-c', WATCH, 'watch', String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watch.on('error', () => {}) // Then it goes on.
  watch.stdin.on('error', () => {})
  watch.unref()
  return () => void watch.stdin.end('done\n')
}
