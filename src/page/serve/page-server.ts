import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerPage } from './answer.ts'
import { type PictureSource, Watchers } from './watchers.ts'

const TOKEN_BYTES = 16

/** Serves the page of one run on the loopback interface. It does not keep the process alive. */
export class PageServer {
  readonly url: string
  readonly #server: Server
  readonly token: string
  readonly #watchers = new Watchers()

  private constructor(server: Server, source: PictureSource, token: string) {
    this.#server = server
    this.token = token
    const path = `/${token}`
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
    const show = { source: () => source }
    server.on('request', (request, response) => {
      const watch = () => this.#watchers.add(response, show)
      answerPage({ kind: 'deploy', path, watch }, request, response)
    })
  }

  /** `port`: 0 for any free one. Rejects with the system's error where it cannot be had. */
  static async start(source: PictureSource, port = 0): Promise<PageServer> {
    const { createServer } = await import('node:http')
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    server.unref()
    // Its sockets do not keep the process alive either.
    server.on('connection', (socket) => socket.unref())
    return new PageServer(server, source, randomBytes(TOKEN_BYTES).toString('base64url'))
  }

  /** Sends the last picture to all watchers at once, because the process may end now. They keep it. */
  end(): void {
    this.#watchers.end()
    this.#server.close()
  }
}
