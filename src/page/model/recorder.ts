import type { OutputEvent } from '../../report/events.ts'
import type { Failure } from '../../report/failures.ts'
import type { ServerState } from '../../report/live/fleet-progress.ts'
import { oneLine } from '../../text/format.ts'
import {
  type Change,
  hasRelease,
  type Lane,
  type Picture,
  type RunPicture,
  type ServerPicture,
  type Source,
} from './picture.ts'
import { Samples } from './samples.ts'

/** Time between two samples of the whole fleet. */
const SAMPLE_S = 0.5
/** A rate over a shorter time means nothing. */
const MIN_RATE_S = 0.5

const hundredths = (seconds: number) => Math.round(seconds * 100) / 100

/** Makes the picture of a run from the events of the display. Does no input or output, and has no timer. */
export class PictureRecorder {
  readonly #nowMs: () => number
  readonly #run: RunPicture
  #servers: ServerPicture[]
  #places: Map<string, number>
  readonly #samples = new Samples()
  /** When the sources of a server were last reported. */
  readonly #toldS = new Map<number, number>()
  /** The lanes in which servers were when they were lost. */
  readonly #lost = new Map<string, Lane>()
  #sampledS = Number.NEGATIVE_INFINITY
  readonly #listeners = new Set<PictureListener>()

  /** `nowMs`: milliseconds since 1970. */
  constructor(environment: string, servers: readonly string[], nowMs: () => number = Date.now) {
    this.#nowMs = nowMs
    this.#run = {
      environment,
      release: null,
      begunMs: nowMs(),
      atS: 0,
      step: 'check',
      outcome: 'running',
      size: 0,
      seederSent: 0,
      fastest: 0,
    }
    this.#servers = servers.map((server) => newServer(server, 'check', 0))
    this.#places = new Map(servers.map((server, place) => [server, place]))
  }

  /** From now on the run has only these servers. */
  confine(labels: ReadonlySet<string>): void {
    this.#servers = this.#servers.filter(({ server }) => labels.has(server))
    this.#places = new Map(this.#servers.map(({ server }, place) => [server, place]))
    for (const listener of this.#listeners) listener.isConfined = true
  }

  /** A server that takes part from now on, or again after it had failed. */
  join(label: string, lane: Lane): void {
    if (!this.#places.has(label)) {
      this.#places.set(label, this.#servers.length)
      this.#servers.push(newServer(label, lane, this.#nowS()))
    }
    this.#change(label, (server) => {
      delete server.failure
    })
    this.enter(label, lane)
  }

  /** Takes an event of the display. */
  take(event: OutputEvent): void {
    if (event.event === 'step') this.describe({ step: event.step })
    if (event.event === 'server') this.enter(event.server, event.phase === 'done' ? 'ready' : event.phase)
    if (event.event !== 'failed') return
    this.#lost.delete(event.server)
    this.#fail(event.server, event)
  }

  /** The server is not heard any more. It looks failed until it is `found`. */
  lost(label: string, failure: Failing): void {
    const lane = this.#servers[this.#places.get(label) ?? -1]?.lane
    if (lane === undefined || (lane === 'failed' && !this.#lost.has(label))) return
    if (lane !== 'failed') this.#lost.set(label, lane)
    this.#fail(label, failure)
  }

  /** The server is heard again, and goes on where it was. Does nothing unless it was lost. */
  found(label: string): void {
    const lane = this.#lost.get(label)
    if (lane === undefined) return
    this.#lost.delete(label)
    this.join(label, lane)
  }

  #fail(label: string, { step, cause, cure }: Failing): void {
    this.#change(label, (server) => {
      server.failure = { step, cause: oneLine(cause), ...(cure === undefined ? {} : { cure: oneLine(cure) }) }
    })
    this.enter(label, 'failed')
  }

  /** The server is in this lane from now on. */
  enter(label: string, lane: Lane): void {
    this.#change(label, (server) => {
      const last = server.spans.at(-1)
      if (last?.[0] === lane) return
      const now = this.#nowS()
      if (last) last[2] = now
      server.spans.push([lane, now])
      server.lane = lane
      server.rate = 0
      server.from = server.from.map(([source, bytes]) => [source, bytes, 0])
    })
    this.#sample('event')
  }

  /** The progress of a server, as the display shows it. */
  state(label: string, { phase, bytes, total, rate }: ServerState): void {
    if (phase === 'failed' || phase === 'check') return
    const run = this.#run
    if (phase === 'transfer') {
      run.size = Math.max(run.size, total)
      run.fastest = Math.max(run.fastest, rate)
    }
    this.#change(label, (server) => {
      // `total` counts the bytes to fetch; the rest was there before.
      if (phase === 'transfer') server.bytes = run.size - total + bytes
      else server.bytes = phase === 'unpack' || phase === 'done' ? run.size : 0
      server.rate = phase === 'transfer' ? rate : 0
    })
    this.#sample()
  }

  /** Bytes that a server has had from each source so far; labels of servers. */
  sources(label: string, from: readonly (readonly [source: string, bytes: number])[]): void {
    const place = this.#places.get(label)
    if (place === undefined) return
    const now = this.#nowS()
    const elapsed = now - (this.#toldS.get(place) ?? now)
    this.#change(label, (server) => {
      const before = new Map(server.from.map(([source, bytes]) => [source, bytes]))
      const isOver = hasRelease(server) || server.lane === 'failed' || server.lane === 'unpack'
      server.from = from.flatMap(([name, bytes]) => {
        const source: Source | undefined = name === 'seeder' ? name : this.#places.get(name)
        if (source === undefined) return []
        const grown = Math.max(0, bytes - (before.get(source) ?? 0))
        return [[source, bytes, isOver || elapsed < MIN_RATE_S ? 0 : Math.round(grown / elapsed)]]
      })
    })
    this.#toldS.set(place, now)
  }

  why(label: string, why: string): void {
    this.#change(label, (server) => {
      server.why = oneLine(why)
    })
  }

  seeder(sent: number): void {
    this.#run.seederSent = Math.max(this.#run.seederSent, sent)
  }

  describe(fields: Partial<RunPicture>): void {
    Object.assign(this.#run, fields)
  }

  /** The run is over. */
  end(fields: Partial<RunPicture>): void {
    this.describe(fields)
    this.#sample('last')
  }

  get picture(): Picture {
    this.#run.atS = this.#nowS()
    return { run: this.#run, servers: this.#servers, samples: this.#samples.all }
  }

  /** Collects changes from now on, until `stop`; gives undefined when only a whole picture can show them. */
  listen(): { take: () => Change | undefined; stop: () => void } {
    const listener: PictureListener = { servers: new Set(), samples: [], isConfined: false }
    this.#listeners.add(listener)
    return {
      take: () => {
        const { run, servers } = this.picture
        const changed = [...listener.servers].flatMap((place): Change['servers'] => {
          const server = servers[place]
          return server ? [[place, server]] : []
        })
        const change = { run, servers: changed, samples: listener.samples }
        listener.servers = new Set()
        listener.samples = []
        if (!listener.isConfined) return change
        listener.isConfined = false
        return undefined
      },
      stop: () => this.#listeners.delete(listener),
    }
  }

  #nowS(): number {
    return hundredths((this.#nowMs() - this.#run.begunMs) / 1000)
  }

  #change(label: string, change: (server: ServerPicture) => void): void {
    const place = this.#places.get(label)
    const server = place === undefined ? undefined : this.#servers[place]
    if (place === undefined || !server) return
    change(server)
    for (const { servers } of this.#listeners) servers.add(place)
  }

  /** Takes a sample: sooner after an event, and always at the end. */
  #sample(when?: 'event' | 'last'): void {
    const atS = this.#nowS()
    if (when !== 'last' && atS - this.#sampledS < (when === 'event' ? SAMPLE_S / 5 : SAMPLE_S)) return
    this.#sampledS = atS
    const sample = { atS, done: 0, failed: 0, bytes: 0, sent: this.#run.seederSent, rate: 0 }
    for (const server of this.#servers) {
      if (server.lane === 'failed') sample.failed += 1
      if (hasRelease(server)) sample.done += 1
      sample.bytes += server.bytes
      sample.rate += server.rate
    }
    if (this.#samples.add(sample, when === 'last'))
      for (const { samples } of this.#listeners) samples.push(sample)
  }
}

/** Names and messages are one line without control characters, those of the direction of writing included. */
const newServer = (server: string, lane: Lane, atS: number): ServerPicture => ({
  server: oneLine(server),
  lane,
  spans: [[lane, atS]],
  bytes: 0,
  rate: 0,
  from: [],
})

type Failing = Pick<Failure, 'step' | 'cause' | 'cure'>

interface PictureListener {
  servers: Set<number>
  samples: Change['samples']
  isConfined: boolean
}
