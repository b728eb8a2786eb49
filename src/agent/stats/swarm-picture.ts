import type { Choice } from '../../page/model/picture.ts'
import { PictureRecorder } from '../../page/model/recorder.ts'
import { percent } from '../../text/format.ts'
import type { Announced } from '../../torrent/tracker/tracker-server.ts'

/** An unfinished peer that is silent for this long is shown as gone, because it announces every 20 s. */
const SILENT_MS = 65_000
/** A rate over a shorter time means nothing. */
const MIN_RATE_MS = 200

interface Peer {
  /** Had everything when it came. */
  isSeeder: boolean
  left: number
  uploaded: number
  saidMs: number
  isGone: boolean
}

/** A swarm as its tracker sees it, from the announces of peers. Does no input or output, and has no timer. */
export class SwarmPicture {
  readonly #peers = new Map<string, Peer>()
  readonly #recorder: PictureRecorder
  readonly #name: string
  readonly #nowMs: () => number
  /** Bytes of the content, as far as that is known. */
  #size: number
  /** Time without unfinished peers, which the picture leaves out. */
  #idleMs = 0
  #idleSinceMs: number | undefined

  /** `size`: bytes of the content; 0 while unknown. */
  constructor(name: string, size: number, nowMs: () => number = Date.now) {
    this.#name = name
    this.#size = size
    this.#nowMs = nowMs
    this.#recorder = new PictureRecorder(name, [], () => (this.#idleSinceMs ?? nowMs()) - this.#idleMs)
    this.#sum()
  }

  get peers(): number {
    return this.#peers.size
  }

  /** Milliseconds since 1970. */
  get begunMs(): number {
    return this.#recorder.picture.run.begunMs
  }

  get choice(): Omit<Choice, 'id'> {
    const { servers } = this.#recorder.picture
    return {
      name: this.#name,
      done: servers.filter(({ lane }) => lane === 'ready').length,
      servers: servers.length,
    }
  }

  /** An announce of a peer; `isKnownOnly`: of no new one. */
  take({ address, event, left, uploaded }: Announced, isKnownOnly = false): void {
    const known = this.#peers.get(address)
    if (!known && (isKnownOnly || event === 'stopped')) return
    const now = this.#nowMs()
    if (Number.isFinite(left)) this.#size = Math.max(this.#size, left)
    const before = known ?? { isSeeder: left === 0, left, uploaded, saidMs: now, isGone: false }
    const isGone = event === 'stopped'
    if (left > 0 && !isGone) this.#goOn(now)
    if (before.left > 0 || left > 0) this.#paint(address, before, { left, isGone }, now)
    this.#peers.set(address, {
      isSeeder: before.isSeeder && left === 0,
      left,
      uploaded: Math.max(uploaded, before.uploaded),
      saidMs: now,
      isGone,
    })
    this.#sum()
  }

  /** Brought up to this moment. */
  get recorder(): PictureRecorder {
    const now = this.#nowMs()
    let hasChanged = false
    for (const [address, peer] of this.#peers) {
      if (peer.left === 0 || peer.isGone || now - peer.saidMs <= SILENT_MS) continue
      peer.isGone = true
      hasChanged = true
      const silence = `no word for ${Math.round((now - peer.saidMs) / 1000)} s`
      this.#fail(address, peer.left, silence, 'see whether that machine runs and reaches this tracker')
    }
    if (hasChanged) this.#sum()
    return this.#recorder
  }

  #paint(address: string, before: Peer, { left, isGone }: Pick<Peer, 'left' | 'isGone'>, now: number): void {
    if (left > 0 && isGone)
      return this.#fail(
        address,
        left,
        'left',
        'see what it printed there; started again, it keeps what it has',
      )
    this.#recorder.join(address, 'transfer')
    const tookMs = now - before.saidMs
    const fetched = Number.isFinite(before.left) ? Math.max(0, before.left - left) : 0
    const rate = tookMs < MIN_RATE_MS ? 0 : (fetched * 1000) / tookMs
    this.#recorder.state(address, { phase: 'transfer', bytes: this.#have(left), total: this.#size, rate })
    if (left > 0) return
    this.#recorder.enter(address, 'ready')
    this.#recorder.state(address, { phase: 'done', bytes: this.#size, total: this.#size, rate: 0 })
  }

  #fail(server: string, left: number, what: string, cure: string): void {
    const cause = `${what}, with ${percent(this.#have(left), this.#size)} of the content`
    this.#recorder.take({ event: 'failed', server, step: 'transfer', cause, cure })
  }

  #have(left: number): number {
    return Number.isFinite(left) ? Math.max(0, this.#size - left) : 0
  }

  #goOn(now: number): void {
    if (this.#idleSinceMs !== undefined) this.#idleMs += now - this.#idleSinceMs
    this.#idleSinceMs = undefined
  }

  /** What is true of the swarm as a whole. */
  #sum(): void {
    const here = [...this.#peers.values()].filter(({ isGone }) => !isGone)
    const whole = here.filter(({ left }) => left === 0).length
    const sent = [...this.#peers.values()].reduce(
      (sum, { isSeeder, uploaded }) => sum + (isSeeder ? uploaded : 0),
      0,
    )
    this.#recorder.seeder(sent)
    this.#recorder.describe({
      size: this.#size,
      step: whole === 0 ? 'nobody has all of it' : `${whole} ${whole === 1 ? 'shares' : 'share'} all of it`,
    })
    if (here.length > whole) this.#recorder.describe({ outcome: 'running' })
    else {
      this.#recorder.end({ outcome: 'done' })
      this.#idleSinceMs ??= this.#nowMs()
    }
  }
}
