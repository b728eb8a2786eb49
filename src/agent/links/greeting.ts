import type { Socket } from 'node:net'

/** Lines from the other end of a link: first that it has reached the agent, then that the agent's peer takes the connection. */
export const REACHED = 'murder link'
export const TAKEN = 'murder link taken'

/** Login shells may print something before them. */
const MAX_NOISE_BYTES = 64 * 1024

/** Reads these lines. The other end then stays silent until we speak, so nothing is lost. */
export class Greetings {
  readonly #socket: Socket
  #heard = ''
  #look = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', this.#hear)
  }

  /** Rejects when the connection ends before, or says too much else. */
  async until(line: string): Promise<void> {
    const socket = this.#socket
    await new Promise<void>((resolve, reject) => {
      this.#look = () => {
        if (`\n${this.#heard}`.includes(`\n${line}\n`)) resolve()
        else if (socket.destroyed) reject(new Error('it has ended'))
        else if (this.#heard.length > MAX_NOISE_BYTES) reject(new Error('it says something else'))
      }
      socket.once('close', this.#look)
      this.#look()
    }).finally(() => socket.off('close', this.#look))
  }

  /** Stops reading. Nothing is read until another reader takes over. */
  release(): void {
    this.#socket.off('data', this.#hear).pause()
  }

  readonly #hear = (chunk: Buffer) => {
    this.#heard += chunk.toString('latin1')
    this.#look()
  }
}
