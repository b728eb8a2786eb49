import { openSync, rmSync } from 'node:fs'
import { createServer, isIP, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { REACHED, TAKEN } from './greeting.ts'

const SOCKET = 'gate'
/** The path of a socket may have 104 bytes on some systems and 108 on Linux, including the byte that ends it. */
const LONGEST_PATH_BYTES = 100

/** The socket at which the other ends of links reach the agent. Where its path is too long, Linux also knows a short one. */
export function socketPath(directory: string): string {
  const path = join(directory, SOCKET)
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return path
  return `/proc/self/fd/${openSync(directory, 'r')}/${SOCKET}`
}

/** Links that others have opened, and that no peer has taken yet. */
const MAX_WAITING = 64
const MAX_ADDRESS_BYTES = 64
/** Time for the line that says from where the connection comes. */
const SILENCE_MS = 10_000

/** Takes a connection and the host it comes from. The connection is not read yet. */
export type TakeLink = (socket: Socket, host: string) => void

/** Takes the connections of the other ends of links on this machine, from this user only: the directory is private. */
export class Gate {
  readonly #server: Server
  readonly #waiting = new Map<Socket, string>()
  #take: TakeLink | undefined

  static open(directory: string): Promise<Gate> {
    const server = createServer({ pauseOnConnect: true })
    const gate = new Gate(server)
    const path = socketPath(directory)
    rmSync(path, { force: true }) // of a process that was killed
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => resolve(gate))
    })
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#greet(socket))
  }

  /** Hands over the waiting connections, and all that come from now on. */
  takeWith(take: TakeLink): void {
    this.#take = take
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const [socket, host] of waiting) this.#pass(socket, host)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#waiting.keys()) socket.destroy()
    this.#waiting.clear()
  }

  #greet(socket: Socket): void {
    let line = ''
    const timer = setTimeout(() => socket.destroy(), SILENCE_MS)
    socket.on('error', () => {}).once('close', () => clearTimeout(timer))
    const read = (chunk: Buffer) => {
      line += chunk.toString('latin1')
      if (line.length > MAX_ADDRESS_BYTES) return void socket.destroy()
      if (!line.endsWith('\n')) return
      clearTimeout(timer)
      socket.off('data', read).pause()
      const host = line.trim()
      if (this.#waiting.size >= MAX_WAITING || (host !== '' && isIP(host) === 0)) return void socket.destroy()
      socket.write(`${REACHED}\n`)
      if (this.#take) return this.#pass(socket, host)
      this.#waiting.set(socket, host)
      socket.once('close', () => this.#waiting.delete(socket))
    }
    socket.on('data', read).resume()
  }

  #pass(socket: Socket, host: string): void {
    socket.write(`${TAKEN}\n`)
    this.#take?.(socket, host)
  }
}
