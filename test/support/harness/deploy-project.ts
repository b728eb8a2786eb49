import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { ShipitConfig } from '../../../src/shipit.ts'

const require = createRequire(import.meta.url)
const cli = join(dirname(require.resolve('shipit-cli/package.json')), 'bin/shipit')
const plugin = join(process.cwd(), 'dist/index.cjs')

/** How one `npx shipit …` ended. Colours are removed. */
export interface Run {
  code: number | null
  stdout: string
  stderr: string
}

let projects = 0

/** A temporary project of a user: a shipitfile that loads shipit-deploy and the built plugin, and a workspace. */
export class Project {
  readonly root: string
  readonly directory: string
  readonly workspace: string
  /** Where temporary files of the deploy host go. */
  readonly temporary: string
  /** Tests run side by side, so each has its own; below the ports that systems give to outgoing connections. */
  readonly trackerPort = 12_000 + ((process.pid * 37 + projects++) % 20_000)

  constructor(root = mkdtempSync(join(tmpdir(), 'deploy-test-'))) {
    this.root = root
    this.directory = join(root, 'project')
    this.workspace = join(root, 'workspace')
    this.temporary = join(root, 'tmp')
    for (const path of [this.directory, this.workspace, this.temporary]) mkdirSync(path, { recursive: true })
    writeFileSync(join(this.directory, 'package.json'), '{ "private": true }\n')
  }

  /**
   * Writes the shipitfile; the workspace is deployed as it is, unless `config` names a repository. It has the user's own
   * code before and after it loads the plugin.
   */
  configure(config: ShipitConfig, code: { before?: string; after?: string } = {}): this {
    const whole: ShipitConfig = {
      workspace: this.workspace,
      keepWorkspace: true,
      shallowClone: false,
      ...config,
    }
    const seen = JSON.stringify(join(this.root, 'seen.json'))
    const lines = [
      'module.exports = (shipit) => {',
      `  require(${JSON.stringify(require.resolve('shipit-deploy'))})(shipit)`,
      `  ${code.before ?? ''}`,
      `  require(${JSON.stringify(plugin)})(shipit)`,
      `  ${code.after ?? ''}`,
      '  const seen = []',
      '  for (const event of ["deploy", "fetched", "updated", "published", "cleaned", "deployed", "rollback", "rollbacked"])',
      '    shipit.on(event, () => {',
      '      const { workspace, releasePath, releaseDirname, releasesPath, currentPath } = shipit',
      '      const { previousRelease, previousRevision, currentRevision } = shipit',
      '      seen.push({ event, workspace, releasePath, releaseDirname, releasesPath, currentPath, previousRelease, previousRevision, currentRevision })',
      `      require('fs').writeFileSync(${seen}, JSON.stringify(seen))`,
      '    })',
      `  shipit.initConfig({ default: {}, test: ${JSON.stringify(whole)} })`,
      '}',
    ]
    writeFileSync(join(this.directory, 'shipitfile.js'), `${lines.join('\n')}\n`)
    return this
  }

  /** Events of shipit-deploy in the last run, with what `shipit` held when they came. */
  seen(): Record<string, string | null>[] {
    return JSON.parse(readFileSync(join(this.root, 'seen.json'), 'utf8'))
  }

  start(task = 'deploy', env: Record<string, string> = {}): RunningShipit {
    rmSync(join(this.root, 'seen.json'), { force: true })
    const running = new RunningShipit(this, task, env)
    onTestFinished(() => void running.child.kill('SIGKILL')) // harmless once it has ended
    return running
  }

  run(task = 'deploy', env: Record<string, string> = {}): Promise<Run> {
    return this.start(task, env).ended
  }

  /** Temporary files of this project that are left on the deploy host; shipit-cli has its own where there is no ~/.cache. */
  leftovers(): string[] {
    return readdirSync(this.temporary).filter((name) => !name.startsWith('.v8flags-'))
  }

  remove(): void {
    execFileSync('chmod', ['-R', 'u+rwX', this.root])
    rmSync(this.root, { recursive: true, force: true })
  }
}

export class RunningShipit {
  readonly child: ChildProcess
  readonly ended: Promise<Run>
  output = ''
  readonly #waiting = new Set<() => void>()

  constructor(project: Project, task: string, env: Record<string, string>) {
    const clean = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(npm_|MURDER_|VITEST|CI$|FORCE_COLOR)/.test(name)),
    )
    this.child = spawn(process.execPath, [cli, 'test', ...task.split(' ')], {
      cwd: project.directory,
      env: { ...clean, TMPDIR: project.temporary, MURDER_TRACKER_PORT: String(project.trackerPort), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, as a terminal gives to every command.
      detached: true,
    })
    const streams = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      createInterface({ input: this.child[name] as NodeJS.ReadableStream }).on('line', (line) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of Shipit's log
        const plain = `${line.replace(/\x1b\[\d+m/g, '')}\n`
        streams[name] += plain
        this.output += plain
        for (const wake of [...this.#waiting]) wake()
      })
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code) => {
        resolve({ code, ...streams })
        for (const wake of [...this.#waiting]) wake()
      })
    })
  }

  /** A signal to all of it, as Ctrl-C in a terminal. */
  signal(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined) process.kill(-this.child.pid, signal)
  }

  /** Waits until a line matches; rejects when the run ends without one. */
  async said(pattern: RegExp): Promise<void> {
    for (;;) {
      if (pattern.test(this.output)) return
      if (this.child.exitCode !== null || this.child.signalCode !== null) break
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
    throw new Error(`it ended without ${pattern}:\n${this.output}`)
  }
}

/** Names in `deployTo` of one server; empty where there is none. */
export function names(...path: string[]): string[] {
  const directory = join(...path)
  return existsSync(directory) ? readdirSync(directory).sort() : []
}
