import { startMark } from './bootstrap.ts'
import { LocalChild } from './child.ts'
import { Greeting, Tail } from './lines.ts'
import { sshCommand } from './options.ts'
import type { Server } from './server.ts'

export type MasterResult =
  | { up: true }
  | {
      up: false
      exitCode: number | null
      signal: string | null
      stderr: string
      timedOut: boolean
      error?: Error
    }

/**
 * The one connection to a server that all commands of a run share (OpenSSH's ControlMaster). It is our child and holds a
 * session of `cat`: when this process ends, however it ends, `cat` reads end of file and the connection closes. OpenSSH's
 * own background masters (ControlPersist) would survive us and, before 8.4, keep our stderr open.
 */
export class Master {
  readonly #child: LocalChild
  readonly #up: Promise<MasterResult>

  /** `connectSeconds` bounds all until the login shell has answered; 0 is no limit. */
  constructor(server: Server, connectSeconds: number) {
    this.#child = new LocalChild(sshCommand(server, 'cat', { login: true, ControlMaster: 'yes' }))
    this.#up = this.#connect(connectSeconds)
  }

  /** Resolves once: it is up and ready for sessions, or why not. */
  get up(): Promise<MasterResult> {
    return this.#up
  }

  get gone(): boolean {
    return this.#child.gone
  }

  /** Lets it end by itself for a second, then kills it. Its sessions, if any, end with it. */
  async close(): Promise<void> {
    this.#child.process.stdin.end()
    const patience = setTimeout(() => void this.#child.kill(), 1000)
    await this.#child.ended
    clearTimeout(patience)
  }

  async kill(): Promise<void> {
    await this.#child.kill()
  }

  async #connect(connectSeconds: number): Promise<MasterResult> {
    const { process: child, ended } = this.#child
    const errors = new Tail()
    const greeting = new Greeting()
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    let timedOut = false
    const timer =
      connectSeconds > 0 &&
      setTimeout(() => {
        timedOut = true
        void this.#child.kill()
      }, connectSeconds * 1000)
    const echoed = new Promise<{ up: true }>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        greeting.push(chunk)
        if (greeting.found) resolve({ up: true })
      })
    })
    child.stdin.write(`\n${startMark}\n`)
    const first = await Promise.race([echoed, ended])
    if (timer) clearTimeout(timer)
    if ('exitCode' in first) {
      const said = errors.toString()
      return { up: false, ...first, stderr: said.trim() === '' ? greeting.text : said, timedOut }
    }
    this.#letGo()
    return first
  }

  /** An idle connection is no reason for this process to stay. */
  #letGo(): void {
    const { process: child } = this.#child
    child.unref()
    for (const stream of child.stdio) (stream as { unref?: () => void }).unref?.()
  }
}
