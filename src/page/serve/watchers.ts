import type { ServerResponse } from 'node:http'
import type { Change, Choice, Picture } from '../model/picture.ts'

/** Browsers that look on at the same time. */
const MAX_WATCHERS = 16
/** Between two changes that a browser is sent, for a small fleet and for a large one. */
const CHANGE_MS = 400
const LARGE_CHANGE_MS = 1000
const LARGE_FLEET = 250
/** A browser that does not read what it is sent misses changes, and gets the whole picture later. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024

/** A picture that changes while people look at it. */
export interface PictureSource {
  readonly picture: Picture
  /** Collects what changes from now on, until `stop`; undefined when only a whole picture can tell it. */
  listen(): { take(): Change | undefined; stop(): void }
}

/** What a browser is shown. */
export interface Show {
  /** Asked again each time: it may be another one. */
  source(): PictureSource
  /** What there is to choose from, where there is more than one picture. */
  choices?(): Choice[]
}

/** Browsers that look on. They keep no process alive. */
export class Watchers {
  readonly #watchers = new Set<Watcher>()

  get count(): number {
    return this.#watchers.size
  }

  add(response: ServerResponse, show: Show): void {
    if (this.#watchers.size >= MAX_WATCHERS) return void response.writeHead(503).end()
    const watcher = new Watcher(response, show)
    this.#watchers.add(watcher)
    response.on('close', () => {
      watcher.close()
      this.#watchers.delete(watcher)
    })
  }

  /** Sends the last picture to all, at once: the process may end now. They keep it. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end()
  }
}

/** One browser. Events as in the HTML standard, "Server-sent events". */
class Watcher {
  readonly #response: ServerResponse
  readonly #show: Show
  readonly #timer: NodeJS.Timeout
  #source: PictureSource
  #changes: ReturnType<PictureSource['listen']>
  #choices = ''
  #isBehind = false

  constructor(response: ServerResponse, show: Show) {
    this.#response = response
    this.#show = show
    this.#source = show.source()
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    this.#changes = this.#source.listen()
    this.#sayChoices()
    this.#say('picture', this.#source.picture)
    const isLarge = this.#source.picture.servers.length > LARGE_FLEET
    this.#timer = setInterval(() => this.#tick(), isLarge ? LARGE_CHANGE_MS : CHANGE_MS)
    this.#timer.unref()
  }

  end(): void {
    this.#say('end', this.#source.picture)
    this.#response.end()
    this.close()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#changes.stop()
  }

  #tick(): void {
    const isOther = this.#follow(this.#show.source())
    const change = this.#changes.take()
    const isFull = this.#response.writableLength > MAX_WAITING_BYTES
    if (!isFull) {
      this.#sayChoices()
      if (change && !this.#isBehind && !isOther) this.#say('change', change)
      else this.#say('picture', this.#source.picture)
    }
    this.#isBehind = isFull
  }

  /** Whether it is another picture than before. */
  #follow(source: PictureSource): boolean {
    if (source === this.#source) return false
    this.#changes.stop()
    this.#source = source
    this.#changes = source.listen()
    return true
  }

  #sayChoices(): void {
    const choices = this.#show.choices?.() ?? []
    const text = JSON.stringify(choices)
    if (text !== this.#choices && this.#show.choices) this.#say('choices', choices)
    this.#choices = text
  }

  #say(event: string, data: unknown): void {
    this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
}
