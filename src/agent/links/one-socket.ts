import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/** How much of a program's standard error is kept. */
const MAX_SAID_CHARACTERS = 4000

/** A program whose standard input and output are one socket here. Node cannot do that for the first two descriptors. */
export class OneSocket {
  readonly socket: Socket
  said = ''
  /** Resolves when the program has ended and all its output has been read. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess

  /** `words`: the program and its arguments. When the program is missing or ends, the socket closes. */
  constructor(words: readonly string[], directory: string) {
    this.#child = spawn('/bin/sh', ['-c', 'exec "$@" <&3 >&3 3>&-', 'sh', ...words], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    this.#child.on('error', () => {})
    this.socket = this.#child.stdio[3] as Socket
    this.socket.on('error', () => {})
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.said = (this.said + chunk).slice(-MAX_SAID_CHARACTERS)
    })
    this.ended = new Promise((resolve) => {
      this.#child.on('exit', () => this.socket.destroy()).on('close', () => resolve())
    })
  }

  close(): void {
    this.socket.destroy()
    this.#child.kill()
  }
}
