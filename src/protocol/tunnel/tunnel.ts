import type { Duplex } from 'node:stream'
import { encodeFrame, FRAMES, type Frame, FrameReader } from './frame.ts'
import { TunnelStream } from './tunnel-stream.ts'

/** The only places where a stream can end on the deploy host. */
export const TARGETS = { tracker: 0, seeder: 1 } as const

export type TargetName = keyof typeof TARGETS

/** The ports on a server's loopback that lead to each target. */
export type RelayPorts = Record<TargetName, number>

/** Most open streams of one server; each process there has a few. */
const MAX_STREAMS = 64
/** Most refused streams. Each answer waits in memory until it is read. */
const MAX_REFUSALS = 10_000

export interface TunnelEvents {
  send(frame: Buffer): void
  ready?(ports: RelayPorts): void
  /** Called when a server wants a stream to a target; undefined refuses it. Without this, the other side cannot open streams. */
  accept?(target: TargetName): Duplex | undefined
  alive?(): void
}

/** Streams over the standard input and output of an SSH session. Both ends use this class. */
export class Tunnel {
  readonly #events: TunnelEvents
  readonly #frames = new FrameReader()
  readonly #streams = new Map<number, TunnelStream>()
  #nextId = 1
  #refusals = 0
  #isClosed = false

  constructor(events: TunnelEvents) {
    this.#events = events
  }

  /** Throws when the other side breaks the rules. Then the session must end. */
  take(chunk: Buffer): void {
    for (const frame of this.#frames.push(chunk)) this.#takeFrame(frame)
  }

  /** Joins a connection with a new stream to a target on the deploy host. */
  open(target: TargetName, connection: Duplex): void {
    if (this.#isClosed || this.#streams.size >= MAX_STREAMS) return void connection.destroy()
    const id = this.#nextId++
    this.#send(encodeFrame(FRAMES.open, id, Buffer.of(TARGETS[target])))
    join(connection, this.#stream(id))
  }

  sayReady({ tracker, seeder }: RelayPorts): void {
    const payload = Buffer.alloc(4)
    payload.writeUInt16BE(tracker, 0)
    payload.writeUInt16BE(seeder, 2)
    this.#send(encodeFrame(FRAMES.ready, 0, payload))
  }

  sayAlive(): void {
    this.#send(encodeFrame(FRAMES.alive))
  }

  close(): void {
    this.#isClosed = true
    for (const stream of [...this.#streams.values()]) stream.destroy()
  }

  #takeFrame({ kind, stream: id, payload }: Frame): void {
    const stream = this.#streams.get(id)
    switch (kind) {
      case FRAMES.open:
        return this.#accept(id, payload)
      // A stream that is over here may still get bytes that were in flight.
      case FRAMES.data:
        return stream?.takeData(payload)
      case FRAMES.credit:
        return stream?.takeCredit(payload)
      case FRAMES.end:
        return stream?.takeEnd()
      case FRAMES.reset:
        return stream?.takeReset()
      case FRAMES.alive:
        return this.#events.alive?.()
      case FRAMES.ready:
        if (payload.length !== 4) break
        return this.#events.ready?.({ tracker: payload.readUInt16BE(0), seeder: payload.readUInt16BE(2) })
    }
    throw new Error('the tunnel has a frame that nobody knows')
  }

  #accept(id: number, payload: Buffer): void {
    const { accept } = this.#events
    const [name] = (Object.keys(TARGETS) as TargetName[]).filter((one) => TARGETS[one] === payload[0])
    if (!accept || !name || payload.length !== 1 || this.#streams.has(id))
      throw new Error('the tunnel asks for what it does not lead to')
    const connection = this.#streams.size < MAX_STREAMS ? accept(name) : undefined
    if (connection) return join(connection, this.#stream(id))
    if (++this.#refusals > MAX_REFUSALS) throw new Error('the tunnel asks for more streams than it has')
    this.#send(encodeFrame(FRAMES.reset, id))
  }

  #stream(id: number): TunnelStream {
    const stream = new TunnelStream(id, {
      send: (frame) => this.#send(frame),
      forget: () => this.#streams.delete(id),
    })
    this.#streams.set(id, stream)
    return stream
  }

  #send(frame: Buffer): void {
    if (!this.#isClosed) this.#events.send(frame)
  }
}

/** Joins both: each gets the other's bytes, including the last ones before an end. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const close = () => {
      if (!to.writableEnded) to.destroy()
    }
    from.pipe(to)
    from.on('error', () => {})
    if (from.destroyed) close()
    else from.once('close', close)
  }
}
