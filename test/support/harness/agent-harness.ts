import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Bundles the agent into `directory` as the build does, but unminified. */
export async function bundleAgent(directory: string): Promise<string> {
  const plugin = async (file: string) => import(pathToFileURL(join(root, 'scripts/build', file)).href)
  const [{ lazyBuiltins }, { unusedInAgent }] = [await plugin('builtins.mjs'), await plugin('stubs.mjs')]
  const outfile = join(directory, 'murder.mjs')
  await build({
    absWorkingDir: root,
    entryPoints: ['src/agent/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: {
      js: `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);`,
    },
    plugins: [lazyBuiltins, unusedInAgent],
    logLevel: 'warning',
  })
  return outfile
}

/** The agent for the tests of one file: bundled before them, removed after them. */
export function bundledAgent(): { program: string } {
  const agent = { program: '' }
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'murder-bundle-'))
    agent.program = await bundleAgent(directory)
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))
  return agent
}

export interface Result {
  code: number | null
  stdout: string
  stderr: string
}

/** A running `murder`, with everything that it has said so far. */
export class Agent {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly ended: Promise<Result>

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.on('data', (chunk) => {
      this.stdout += chunk
    })
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.ended = once(child, 'close').then(([code]) => ({ code, stdout: this.stdout, stderr: this.stderr }))
  }

  /** The JSON lines of standard output. */
  get events(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }

  /** Waits for a JSON line with this `event`. */
  event(name: string, seconds?: number): Promise<Record<string, unknown>> {
    return until(
      `the event ${name}; there is ${this.stdout}${this.stderr}`,
      () => this.events.find(({ event }) => event === name),
      [this.ended],
      seconds,
    )
  }
}

/** A directory with a run directory of its own; everything that was started in it ends with it. */
export class Sandbox {
  readonly directory: string
  readonly runs: string
  private readonly program: string
  private readonly agents: Agent[] = []

  static async make(program: string): Promise<Sandbox> {
    const directory = await mkdtemp(join(tmpdir(), 'murder-test-'))
    return new Sandbox(program, directory)
  }

  private constructor(program: string, directory: string) {
    this.program = program
    this.directory = directory
    this.runs = join(directory, 'runs')
  }

  path(...names: string[]): string {
    return join(this.directory, ...names)
  }

  start(args: string[], options: { stdin?: 'open' | string; env?: Record<string, string> } = {}): Agent {
    const child = spawn(process.execPath, [this.program, ...args], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, MURDER_RUN_DIR: this.runs, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdin.on('error', () => {})
    if (options.stdin !== 'open') child.stdin.end(options.stdin ?? '')
    const agent = new Agent(child)
    this.agents.push(agent)
    return agent
  }

  run(args: string[], options: { stdin?: string; env?: Record<string, string> } = {}): Promise<Result> {
    return this.start(args, options).ended
  }

  async file(name: string, content: string | Buffer): Promise<string> {
    await mkdir(join(this.path(name), '..'), { recursive: true })
    await writeFile(this.path(name), content)
    return this.path(name)
  }

  /** A file of random bytes and its torrent, for a tracker at `port`. */
  async torrent(bytes: number, port: number): Promise<{ content: Buffer; infoHash: string }> {
    const content = randomBytes(bytes)
    await this.file('data', content)
    const made = await this.run(['make-torrent', 'data', `127.0.0.1:${port}`, 'data.torrent', '--json'])
    return { content, infoHash: JSON.parse(made.stdout).infoHash }
  }

  async status(): Promise<Record<string, unknown>[]> {
    return JSON.parse((await this.run(['status', '--json'])).stdout)
  }

  /** The only run of a role. */
  async runOf(role: string): Promise<Record<string, unknown>> {
    const runs = (await this.status()).filter((run) => run.role === role)
    if (runs.length !== 1 || !runs[0]) throw new Error(`there are ${runs.length} runs of a ${role}`)
    return runs[0]
  }

  /** What is left in the run directory. */
  async leftovers(): Promise<string[]> {
    return existsSync(this.runs) ? readdir(this.runs) : []
  }

  async end(): Promise<void> {
    for (const { child } of this.agents) child.kill('SIGKILL')
    await Promise.all(this.agents.map(({ ended }) => ended))
    await this.run(['stop', '--all'])
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Whether a process runs; a zombie does not. */
export async function isRunning(pid: unknown): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat !== undefined && !/\) [ZX] /.test(stat)
}

export const hasEnded = (pid: unknown) =>
  until(`the end of process ${pid}`, async () => !(await isRunning(pid)))

/** Polls for something outside of this process. Fails early when one of `unless` is over and it still isn't so. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  unless: Promise<unknown>[] = [],
  seconds = 60,
): Promise<NonNullable<T>> {
  let over = false
  for (const end of unless) {
    void end.then(() => {
      over = true
    })
  }
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    const wasOver = over
    const found = await look()
    if (found) return found
    if (wasOver) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited in vain for ${what}`)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
