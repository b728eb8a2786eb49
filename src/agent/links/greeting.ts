import type { Socket } from 'node:net'

/** The lines that the other end of a link says: it has reached the agent, and then that the agent's peer takes the connection. */
export const REACHED = 'murder link'
export const TAKEN = 'murder link taken'

/** Login shells may print something before them. */
const MAX_NOISE_BYTES = 64 * 1024

/** Hears these lines. After the last one comes nothing before we say something, so that nothing is lost. */
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

  /** From now on others read what comes; until then nothing is read. */
  release(): void {
    this.#socket.off('data', this.#hear).pause()
  }

  readonly #hear = (chunk: Buffer) => {
    this.#heard += chunk.toString('latin1')
    this.#look()
  }
}
