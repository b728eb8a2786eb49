import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ExampleFleet, startFleet } from '../../../examples/fleet/index.ts'
import { commandOf, killAll, processesOf, quiet } from '../processes.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
export const agentFile = join(root, 'dist', 'murder.mjs')
const cli = join(root, 'node_modules', 'shipit-cli', 'bin', 'shipit')

export interface Run {
  code: number | null
  /** Both outputs, without colours. */
  output: string
  /** What this plugin wrote with MURDER_OUTPUT=json. */
  events: Record<string, unknown>[]
}

export interface RunOptions {
  env?: Record<string, string>
  /** Sends SIGINT as soon as the output has this. */
  interruptAt?: string
}

/** A user's project whose servers are an embedded fleet. */
export class Project {
  readonly directory: string
  readonly fleet: ExampleFleet
  readonly trackerPort: number

  static async make(count = 2, config: Record<string, unknown> = {}): Promise<Project> {
    const directory = await mkdtemp(join(tmpdir(), 'murder-tasks-'))
    const fleet = await startFleet({ count, root: join(directory, 'fleet') })
    const project = new Project(directory, fleet, await freePort())
    await project.fill(config)
    return project
  }

  private constructor(directory: string, fleet: ExampleFleet, trackerPort: number) {
    this.directory = directory
    this.fleet = fleet
    this.trackerPort = trackerPort
  }

  path = (...names: string[]) => join(this.directory, ...names)
  workspace = (...names: string[]) => this.path('workspace', ...names)
  /** A path on a server, below deployTo. */
  on = (server: number, ...names: string[]) => join(this.fleet.servers[server]?.home ?? '', 'app', ...names)
  name = (server: number) => {
    const { user, host, port } = this.fleet.remotes[server] as ExampleFleet['remotes'][number]
    return `${user}@${host}:${port}`
  }

  private async fill(own: Record<string, unknown>): Promise<void> {
    await mkdir(this.workspace('deep', 'empty'), { recursive: true })
    await writeFile(this.workspace('text'), 'some text\n'.repeat(5000))
    await writeFile(this.workspace('deep', 'run me.sh'), '#!/bin/sh\n', { mode: 0o755 })
    await writeFile(this.workspace('large'), Buffer.alloc(700_000, 'not quite random'))
    await symlink('../text', this.workspace('deep', 'link'))
    await utimes(this.workspace('text'), 1_700_000_000, 1_700_000_000)
    await mkdir(this.path('project'))
    const config = {
      default: {
        servers: this.fleet.remotes,
        key: this.fleet.keyPath,
        deployTo: `${this.fleet.home}/app`,
        workspace: this.workspace(),
        shallowClone: false,
        keepWorkspace: true,
        murder: { tracker: { port: this.trackerPort }, compression: 'none' },
        ...own,
      },
      staging: {},
    }
    const shipitfile = [
      'module.exports = (shipit) => {',
      `  require(${JSON.stringify(join(root, 'node_modules', 'shipit-deploy'))})(shipit)`,
      `  require(${JSON.stringify(join(root, 'dist', 'index.cjs'))})(shipit)`,
      `  shipit.initConfig(${JSON.stringify(config)})`,
      '}',
    ]
    await writeFile(this.path('project', 'shipitfile.js'), shipitfile.join('\n'))
  }

  /** `npx shipit staging …` */
  shipit(tasks: string[], { env = {}, interruptAt }: RunOptions = {}): Promise<Run> {
    const child = spawn(process.execPath, [cli, 'staging', ...tasks], {
      cwd: this.path('project'),
      env: { PATH: process.env.PATH, HOME: this.directory, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let sent = false
    const take = (chunk: Buffer) => {
      output += chunk.toString()
      if (interruptAt === undefined || sent || !output.includes(interruptAt)) return
      sent = true
      child.kill('SIGINT')
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of Shipit's log
        const plain = output.replace(/\x1b\[\d+m/g, '')
        const lines = plain.split('\n').filter((line) => line.startsWith('{"event":'))
        resolve({ code, output: plain, events: lines.map((line) => JSON.parse(line)) })
      })
    })
  }

  /** The same with JSON, and the last event of that name. */
  async event(name: string, ...tasks: string[]): Promise<Record<string, unknown>> {
    const run = await this.shipit(tasks, { env: { MURDER_OUTPUT: 'json' } })
    const event = run.events.findLast((each) => each.event === name)
    if (run.code === 0 && event) return event
    throw new Error(`no event ${name}, exit code ${run.code}: ${run.output}`)
  }

  /** Command lines of processes that have to do with this project, other than this one. */
  running(): string[] {
    return processesOf(this.directory)
  }

  /** Waits until nothing of it runs any more: for peers, which notice within a second that they are to end. */
  async quiet(): Promise<void> {
    const left = await quiet(this.directory, 60)
    if (left.length > 0) throw new Error(`still runs after a minute:\n${left.join('\n')}`)
  }

  async end(): Promise<void> {
    killAll(this.directory)
    await this.fleet.stop()
    await rm(this.directory, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export const isAlive = (pid: unknown): boolean => commandOf(Number(pid)) !== ''
