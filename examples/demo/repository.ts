import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A git repository to deploy from. */
export class Repository {
  readonly directory: string
  readonly #signal: AbortSignal

  constructor(directory: string, signal: AbortSignal) {
    this.directory = directory
    this.#signal = signal
  }

  /** The first version: `files` small files and one of `megabytes` that nothing can compress. Gives the commit. */
  async create(files: number, megabytes: number): Promise<string> {
    await mkdir(this.directory, { recursive: true })
    for (let index = 0; index < files; index++) await this.#write(place(index), moduleText(index))
    await this.#write('assets/video.bin', randomBytes(megabytes * 1e6))
    await this.#write('bin/start', '#!/bin/sh\nexec node server.js\n')
    await chmod(join(this.directory, 'bin/start'), 0o755)
    await symlink('assets/video.bin', join(this.directory, 'intro'))
    await this.#write('version.txt', '1\n')
    await this.#git('init', '-q')
    await this.#git('symbolic-ref', 'HEAD', 'refs/heads/main')
    // Random bytes only cost time.
    await this.#git('config', 'core.compression', '0')
    await this.#git('config', 'pack.window', '0')
    return this.#commit('First version')
  }

  /** The second version: one file is changed, one is new, one is gone. */
  async change(): Promise<string> {
    await this.#write('version.txt', '2\n')
    await this.#write('src/new.js', moduleText(-1))
    await rm(join(this.directory, place(0)))
    return this.#commit('Second version')
  }

  async #write(path: string, content: string | Buffer): Promise<void> {
    this.#signal.throwIfAborted()
    const file = join(this.directory, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }

  async #commit(message: string): Promise<string> {
    await this.#git('add', '-A')
    await this.#git('commit', '-q', '-m', message)
    return (await this.#git('rev-parse', 'HEAD')).trim()
  }

  async #git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', args, {
      cwd: this.directory,
      env: { ...withoutGit(process.env), ...author, ...ownSettingsOnly },
      signal: this.#signal,
    })
    return stdout
  }
}

const place = (index: number) => `src/area-${index % 40}/module-${index}.js`

function moduleText(index: number): string {
  const lines = Array.from({ length: 10 + (Math.abs(index) % 60) }, (_, line) => {
    return `export const value${line} = ${(index * 7919 + line * 104_729) % 1_000_003} // of module ${index}`
  })
  return `${lines.join('\n')}\n`
}

/** A git hook sets variables that would make these commands work on another repository. */
export function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')))
}

const author = {
  GIT_AUTHOR_NAME: 'demo',
  GIT_AUTHOR_EMAIL: 'demo@localhost',
  GIT_COMMITTER_NAME: 'demo',
  GIT_COMMITTER_EMAIL: 'demo@localhost',
}

/** The user's own settings are ignored, because they may sign commits or run hooks. */
const ownSettingsOnly = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
