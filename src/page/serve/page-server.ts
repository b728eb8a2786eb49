import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pageScriptFile, pageStyleFile } from '../../page-file.ts'
import type { PictureRecorder } from '../model/recorder.ts'
import { liveDocument } from './document.ts'
import { type PagePart, pageHeaders, partOf } from './guard.ts'

const TOKEN_BYTES = 16
/** Most browsers that may watch at the same time. */
const MAX_WATCHERS = 16
/** Time between two changes for a browser, for a small and for a large fleet. */
const CHANGE_MS = 400
const LARGE_CHANGE_MS = 1000
const LARGE_FLEET = 250
/** A browser with more unread bytes misses changes, and gets the whole picture later. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024

/** Serves the page of one run on the loopback interface. It does not keep the process alive. */
export class PageServer {
  readonly url: string
  readonly #server: Server
  readonly #recorder: PictureRecorder
  readonly token: string
  readonly #watchers = new Set<Watcher>()

  private constructor(server: Server, recorder: PictureRecorder, token: string) {
    this.#server = server
    this.#recorder = recorder
    this.token = token
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}`
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  /** `port`: 0 for any free one. Rejects with the system's error where the port is not available. */
  static async start(recorder: PictureRecorder, port = 0): Promise<PageServer> {
    const { createServer } = await import('node:http')
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    server.unref()
    // Its sockets do not keep the process alive either.
    server.on('connection', (socket) => socket.unref())
    return new PageServer(server, recorder, randomBytes(TOKEN_BYTES).toString('base64url'))
  }

  /** Sends the last picture to all watchers at once, because the process may end now. They keep it. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request
    const part = partOf({ method, url, host: headers.host }, this.token)
    for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value)
    if (typeof part === 'number') {
      if (part === 405) response.setHeader('Allow', 'GET')
      response.writeHead(part, { 'Content-Type': 'text/plain' }).end()
    } else if (part === 'events') this.#watch(response)
    else await this.#send(part, response)
  }

  async #send(part: Exclude<PagePart, 'events'>, response: ServerResponse): Promise<void> {
    const type = { document: 'html', script: 'javascript', style: 'css' }[part]
    try {
      const content =
        part === 'document'
          ? liveDocument(this.token)
          : await readFile(part === 'script' ? pageScriptFile : pageStyleFile)
      response.writeHead(200, { 'Content-Type': `text/${type}; charset=utf-8` }).end(content)
    } catch {
      response.writeHead(500).end()
    }
  }

  #watch(response: ServerResponse): void {
    if (this.#watchers.size >= MAX_WATCHERS) return void response.writeHead(503).end()
    const watcher = new Watcher(response, this.#recorder)
    this.#watchers.add(watcher)
    response.on('close', () => {
      watcher.close()
      this.#watchers.delete(watcher)
    })
  }
}

/** One watching browser. Events as in the HTML standard, "Server-sent events". */
class Watcher {
  readonly #response: ServerResponse
  readonly #recorder: PictureRecorder
  readonly #timer: NodeJS.Timeout
  #changes: ReturnType<PictureRecorder['listen']>
  #isBehind = false

  constructor(response: ServerResponse, recorder: PictureRecorder) {
    this.#response = response
    this.#recorder = recorder
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    this.#changes = recorder.listen()
    this.#say('picture', recorder.picture)
    const isLarge = recorder.picture.servers.length > LARGE_FLEET
    this.#timer = setInterval(() => this.#tick(), isLarge ? LARGE_CHANGE_MS : CHANGE_MS)
    this.#timer.unref()
  }

  end(): void {
    this.#say('end', this.#recorder.picture)
    this.#response.end()
    this.close()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#changes.stop()
  }

  #tick(): void {
    const change = this.#changes.take()
    const isFull = this.#response.writableLength > MAX_WAITING_BYTES
    if (!isFull && change && !this.#isBehind) this.#say('change', change)
    else if (!isFull) this.#say('picture', this.#recorder.picture)
    this.#isBehind = isFull
  }

  #say(event: string, data: unknown): void {
    this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
}
