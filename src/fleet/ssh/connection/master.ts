import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { START_MARK } from '../bootstrap.ts'
import { Greeting } from '../greeting.ts'
import { LocalChild } from '../local-process.ts'
import { saysTimedOut } from '../messages/ssh-messages.ts'
import { sshCommand } from '../options.ts'
import type { Server } from '../server.ts'
import { Tail } from '../tail.ts'
import { ConnectTimer } from './connect-timer.ts'
import { type Route, routeTo } from './route.ts'

/** How long a master may take to end by itself. */
const CLOSE_TIMEOUT_MS = 1000
/** At most so many bytes of this session's output are read. */
const MAX_READ_BYTES = 1 << 20

export type MasterResult =
  | { up: true }
  | {
      up: false
      exitCode: number | null
      signal: string | null
      stderr: string
      /** Set when the server did not answer within the limit. */
      timedOut: Route | undefined
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

  /** `socket` is where it will listen; it must do so within `connectSeconds` for each address, where 0 is no limit. */
  constructor(server: Server, socket: string, connectSeconds: number) {
    this.#child = new LocalChild(sshCommand(server, 'cat', { login: true, ControlMaster: 'yes' }))
    this.#up = this.#connect(server, socket, connectSeconds)
  }

  /** Resolves when it is ready for sessions, or with the reason why it is not. */
  get up(): Promise<MasterResult> {
    return this.#up
  }

  get gone(): boolean {
    return this.#child.gone
  }

  /** Gives it a second to end by itself, then kills it. Its sessions end with it. */
  async close(): Promise<void> {
    this.#child.process.stdin.end()
    const timer = setTimeout(() => void this.#child.kill(), CLOSE_TIMEOUT_MS)
    await this.#child.ended
    clearTimeout(timer)
  }

  async kill(): Promise<void> {
    await this.#child.kill()
  }

  async #connect(server: Server, socket: string, connectSeconds: number): Promise<MasterResult> {
    const errors = new Tail()
    let timedOut: Route | undefined
    const expire = (route: Route) => {
      timedOut = route
      void this.#child.kill()
    }
    const timer = new ConnectTimer(connectSeconds, () => routeTo(server), expire)
    readSome(this.#child.process.stderr, (chunk) => errors.push(chunk))
    const greeting = new Greeting()
    // The socket appears as soon as the login is done. Where it cannot be watched, the echo comes a little later.
    const listening = watchFor(socket)
    const first = await Promise.race([listening.found, this.#echo(greeting), this.#child.ended])
    listening.stop()
    timer.stop()
    if ('exitCode' in first) {
      const said = errors.toString()
      if (saysTimedOut(said)) timedOut ??= await timer.spent()
      return { up: false, ...first, stderr: said.trim() === '' ? greeting.text : said, timedOut }
    }
    this.#unref()
    return first
  }

  #echo(greeting: Greeting): Promise<{ up: true }> {
    const { stdin, stdout } = this.#child.process
    stdin.write(`\n${START_MARK}\n`)
    return new Promise((resolve) => {
      readSome(stdout, (chunk) => {
        greeting.push(chunk)
        if (greeting.found) resolve({ up: true })
      })
    })
  }

  /** An idle connection does not keep this process running. */
  #unref(): void {
    const { process: child } = this.#child
    child.unref()
    for (const stream of child.stdio) (stream as { unref?: () => void }).unref?.()
  }
}

/** A login shell may print without end. Unread output stays on the server and does not hold up other sessions. */
function readSome(stream: Readable, take: (chunk: Buffer) => void): void {
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    take(chunk)
    if (bytes > MAX_READ_BYTES) stream.pause()
  })
}

/** Resolves when `file` is there, or never. OpenSSH gives it this name only when it listens already. */
function watchFor(file: string): { found: Promise<{ up: true }>; stop: () => void } {
  let stop = () => {}
  const found = new Promise<{ up: true }>((resolve) => {
    try {
      const look = () => existsSync(file) && resolve({ up: true })
      const watcher = watch(dirname(file), look)
      watcher.on('error', () => {}) // As below.
      stop = () => watcher.close()
    } catch {
      // This system has no more watches (ENOSPC, EMFILE): then the echo tells.
    }
  })
  return { found, stop }
}
