import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { emptyDirectory, root } from './packed-project.ts'

const execute = promisify(execFile)

/** The built agent in a directory of its own, where it may keep what V8 compiled. */
export class CompilingAgent {
  readonly compiled: string
  /** Options that make V8 log what it compiles: what was compiled with other options of V8 is not used. */
  readonly logging: string[]
  private readonly log: string
  private readonly directory: string
  private readonly node: string

  private constructor(directory: string, node: string) {
    this.directory = directory
    this.node = node
    this.compiled = join(directory, 'compiled')
    this.log = join(directory, 'v8.log')
    this.logging = ['--log-function-events', '--no-logfile-per-isolate', `--logfile=${this.log}`]
  }

  static async make(node = process.execPath): Promise<CompilingAgent> {
    const agent = new CompilingAgent(await emptyDirectory(), node)
    await copyFile(join(root, 'dist/murder.mjs'), join(agent.directory, 'murder.mjs'))
    await mkdir(agent.compiled)
    await writeFile(join(agent.directory, 'content'), Buffer.alloc(100_000, 'murder'))
    return agent
  }

  /** Runs a command that works, and counts the functions of the agent that V8 had to compile for it. */
  async functionsCompiled(): Promise<number> {
    const content = join(this.directory, 'content')
    await this.run(this.logging, ['make-torrent', content, '127.0.0.1:8998', `${content}.torrent`])
    const lines = (await readFile(this.log, 'utf8')).split('\n').map((line) => line.split(','))
    const scripts = new Set(
      lines
        .filter(([what, , name]) => what === 'script-details' && name?.includes('murder.mjs'))
        .map(([, id]) => id),
    )
    return lines.filter(
      ([what, step, id]) => what === 'function' && step === 'interpreter' && scripts.has(id),
    ).length
  }

  async run(nodeOptions: string[], args: string[]): Promise<void> {
    await execute(this.node, [...nodeOptions, join(this.directory, 'murder.mjs'), ...args])
  }

  files(): Promise<string[]> {
    return readdir(this.compiled)
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true })
  }
}
