import { bytes, duration, rate } from '../../../text/format.ts'
import { medianDoneS } from '../../model/fleet.ts'
import { limitOf } from '../../model/limit.ts'
import { hasRelease, type Picture } from '../../model/picture.ts'
import { element, setText } from '../dom.ts'
import type { Words } from '../words.ts'

const NAMES = ['done', 'failed', 'time', 'rate', 'seeder', 'limit'] as const
type Tile = (typeof NAMES)[number]
const titlesOf = ({ have, failed, seeder }: Words): Record<Tile, string> => ({
  done: have,
  failed,
  time: 'since the start',
  rate: 'to all of them now',
  seeder: `sent by ${seeder}`,
  limit: 'limit, S/B',
})

const OUTCOMES = { running: 'running', published: 'published', done: 'done', failed: 'failed' }

/** What is deployed, its state, and six numbers. */
export class Head {
  readonly root = element('header', { class: 'head' })
  readonly tiles = element('dl', { class: 'tiles' })
  readonly #title = element('h1')
  readonly #state = element('p', { class: 'state', role: 'status' })
  readonly #error = element('p', { class: 'error', role: 'alert', hidden: '' })
  readonly #values = new Map<Tile, { value: HTMLElement; note: HTMLElement; root: HTMLElement }>()

  constructor(words: Words, ...buttons: Node[]) {
    const titles = titlesOf(words)
    const text = element('div', {}, this.#title, this.#state)
    this.root.append(text, element('div', { class: 'buttons' }, ...buttons), this.#error)
    for (const name of NAMES) {
      const [value, note] = [element('dd', { class: 'value' }), element('dd', { class: 'note' })]
      const root = element('div', { class: `tile ${name}` }, element('dt', {}, titles[name]), value, note)
      this.#values.set(name, { value, note, root })
      this.tiles.append(root)
    }
  }

  show(picture: Picture, note: string): void {
    const { run, servers, samples } = picture
    const { environment, release, outcome, step, error } = run
    setText(this.#title, release === null ? environment : `${environment} · ${release}`)
    document.title = `${outcome === 'running' ? step : OUTCOMES[outcome]} · ${environment}`
    this.#state.dataset.outcome = outcome
    setText(this.#state, [outcome === 'running' ? step : OUTCOMES[outcome], note].filter(Boolean).join(' · '))
    this.#error.hidden = error === undefined
    setText(this.#error, error ?? '')
    const done = servers.filter(hasRelease).length
    const failed = servers.filter(({ lane }) => lane === 'failed').length
    const median = medianDoneS(servers)
    this.#set(
      'done',
      `${done} of ${servers.length}`,
      median === undefined ? '' : `half after ${duration(median)}`,
    )
    this.#set('failed', String(failed), failed > 0 ? 'see below' : '')
    this.#values.get('failed')?.root.classList.toggle('bad', failed > 0)
    this.#set('time', duration(run.atS), new Date(run.begunMs).toLocaleString())
    const now = servers.reduce((sum, server) => sum + server.rate, 0)
    const most = samples.reduce((top, sample) => Math.max(top, sample.rate), 0)
    this.#set('rate', rate(now), most > 0 ? `at most ${rate(most)}` : '')
    const ratio = run.size > 0 ? run.seederSent / run.size : 0
    this.#set(
      'seeder',
      run.size > 0 ? `${ratio.toFixed(2)} × S` : '–',
      `${bytes(run.seederSent)}, S is ${bytes(run.size)}`,
    )
    const limit = limitOf(picture)
    this.#set(
      'limit',
      limit ? duration(limit.untilS - limit.fromS) : '–',
      limit
        ? `at the fastest seen, ${rate(run.fastest)}`
        : outcome === 'running'
          ? 'not measured yet'
          : 'nothing was measured',
    )
  }

  #set(name: Tile, value: string, note: string): void {
    const tile = this.#values.get(name)
    if (!tile) return
    setText(tile.value, value)
    setText(tile.note, note)
  }
}
