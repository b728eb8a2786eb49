import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Absolute path of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** Ends the script with one line and exit code 1. */
export function fail(line) {
  console.error(line)
  process.exit(1)
}

/** Runs a program in the repository with this terminal; a failure ends the script with the program's exit code. */
export function run(program, args, env = process.env) {
  const { status, signal, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env })
  if (error) fail(`${program}: ${error.message}`)
  if (signal) fail(`${program} ended by ${signal}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** Runs npm: the one that the user ran, which names itself to its scripts. */
export function npm(...args) {
  const cli = process.env.npm_execpath
  if (cli?.endsWith('.js')) run(process.execPath, [cli, ...args])
  else run('npm', args)
}
