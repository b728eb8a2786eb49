import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A user's environment: nothing of the npm that runs these tests. */
const userEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|node_env$|ci$|vitest)/i.test(name)),
)

/** Runs a program to its end; rejects with its output when its exit code is not 0. */
export async function run(program: string, args: string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { cwd, env: userEnvironment, maxBuffer: 1 << 26 })
    return stdout
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string }
    throw new Error(`${program} ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`)
  }
}

export function emptyDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'murder-packed-'))
}

/** `npm pack` of the built package into `directory`. */
export async function pack(directory: string): Promise<{ tarball: string; files: string[] }> {
  const [packed] = JSON.parse(await run('npm', ['pack', '--json', '--pack-destination', directory], root))
  return {
    tarball: join(directory, packed.filename),
    files: packed.files.map(({ path }: { path: string }) => path),
  }
}

/** An empty project into which a user installs these packages, with npm's defaults. */
export async function project(directory: string, packages: string[]): Promise<void> {
  await writeFile(join(directory, 'package.json'), JSON.stringify({ name: 'user', private: true }))
  await run('npm', ['install', ...packages], directory)
}

/** Whether npm can download; says so loudly when not. */
export async function registryReachable(): Promise<boolean> {
  try {
    await execute('npm', ['view', 'shipit-cli', 'version', '--fetch-retries=1', '--fetch-timeout=15000'])
    return true
  } catch {
    console.warn('SKIPPED: the packed package is not tested, because the npm registry cannot be reached')
    return false
  }
}
