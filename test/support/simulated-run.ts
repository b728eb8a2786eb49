import type { Lane } from '../../src/page/model/picture.ts'
import { PictureRecorder } from '../../src/page/model/recorder.ts'

const SIZE = 200 * 1024 ** 2
const LINK = 25e6
const STEP_S = 0.5

/** A deploy that never was, for the page: the same for the same `count`, at any time of it. */
export class SimulatedRun {
  readonly recorder: PictureRecorder
  readonly labels: string[]
  #nowS = 0
  readonly #fails: boolean
  readonly #servers: Simulated[]
  #sent = 0

  constructor(count: number, { fails = true, labels = namesOf(count) } = {}) {
    this.labels = labels
    this.#fails = fails && count > 1
    this.recorder = new PictureRecorder(
      'production',
      labels,
      () => Date.UTC(2026, 0, 2, 3, 4, 5) + this.#nowS * 1000,
    )
    const random = sequence(count)
    this.#servers = labels.map((label, place) => ({
      label,
      startS: 1.6 + random() * 0.6,
      rate: LINK * (place === 2 ? 0.45 : 0.78 + 0.22 * random()),
      had: 0,
      unpackS: 0.6 + random() * 0.8,
    }))
    for (const label of labels) this.#state(label, 'check')
    this.recorder.describe({ release: '20260102030405', size: SIZE })
  }

  /** Lets time pass, up to this second. */
  until(seconds: number): this {
    while (this.#nowS < seconds) {
      this.#nowS += STEP_S
      for (const [place, server] of this.#servers.entries()) this.#advance(server, place)
      this.recorder.seeder(this.#sent)
      this.#publishWhenDone()
    }
    return this
  }

  #advance(server: Simulated, place: number): void {
    const { label, startS, rate, unpackS } = server
    const { lane } = this.#picture(place)
    const inLaneS = this.#nowS - (this.#picture(place).spans.at(-1)?.[1] ?? 0)
    if (lane === 'check' && this.#nowS > 0.5) return this.#state(label, 'upload')
    if (lane === 'upload' && this.#nowS > startS) {
      this.recorder.take({ event: 'step', step: 'transfer' })
      return this.#state(label, 'transfer')
    }
    if (lane === 'transfer') {
      if (this.#fails && place === 1 && this.#nowS > 5)
        return this.recorder.take({
          event: 'failed',
          server: label,
          step: 'transfer',
          cause: 'the connection to the server was lost, and it cannot be reached any more',
          cure: 'see whether the machine runs, then: npx shipit production murder:retry',
        })
      const now = rate * Math.min(1, 0.3 + inLaneS / 3)
      server.had = Math.min(SIZE, server.had + now * STEP_S)
      this.recorder.state(label, { phase: 'transfer', bytes: server.had, total: SIZE, rate: now })
      this.recorder.sources(label, this.#sourcesOf(place, server.had))
      if (server.had >= SIZE) this.#state(label, 'unpack')
    } else if (lane === 'unpack' && inLaneS > unpackS) this.#state(label, 'ready')
  }

  /** Most from a few neighbours, a little from the seeder. */
  #sourcesOf(place: number, had: number): [string, number][] {
    const count = this.labels.length
    const neighbours = [1, 2, 5, 11]
      .filter((far) => far < count)
      .map((far) => this.labels[(place + far) % count] ?? '')
    const fromSeeder =
      had * (neighbours.length === 0 ? 1 : Math.min(0.6, 1.3 / count + (place < 4 ? 0.06 : 0)))
    this.#sent = Math.max(this.#sent, Math.min(had * 1.12, count * fromSeeder))
    return [
      ['seeder', fromSeeder],
      ...neighbours.map((name): [string, number] => [name, (had - fromSeeder) / neighbours.length]),
    ]
  }

  #publishWhenDone(): void {
    const { servers } = this.recorder.picture
    const left = servers.filter(({ lane }) => lane !== 'failed')
    const next: [Lane, Lane][] = [
      ['health', 'live'],
      ['publish', 'health'],
      ['ready', 'publish'],
    ]
    for (const [from, to] of next) {
      if (!left.every(({ lane }) => lane === from)) continue
      if (to === 'publish') this.recorder.take({ event: 'step', step: 'publish' })
      for (const { server } of left) this.recorder.enter(server, to)
      if (to === 'live') this.recorder.end({ outcome: 'published' })
      return
    }
  }

  #picture(place: number) {
    const server = this.recorder.picture.servers[place]
    if (!server) throw new Error(`no server ${place}`)
    return server
  }

  #state(label: string, lane: Lane): void {
    this.recorder.enter(label, lane)
    if (lane === 'unpack') this.recorder.state(label, { phase: 'unpack', bytes: 0, total: 0, rate: 0 })
  }
}

interface Simulated {
  label: string
  startS: number
  rate: number
  had: number
  unpackS: number
}

function namesOf(count: number): string[] {
  const kinds = ['web', 'api', 'worker', 'cache']
  const sites = ['fra', 'iad', 'sin']
  return Array.from({ length: count }, (_, at) => {
    const kind = kinds[at % Math.min(kinds.length, Math.ceil(count / 3))]
    const site = sites[Math.floor((at * sites.length) / count)]
    return `deploy@${kind}${Math.floor(at / kinds.length) + 1}.${site}.example.com`
  })
}

/** Numbers from 0 to 1 that look like chance. */
function sequence(seed: number): () => number {
  let state = seed * 7919 + 1
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
