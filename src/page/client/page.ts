import { slowestFirst } from '../model/fleet.ts'
import { shortNames } from '../model/names.ts'
import type { Choice, Picture } from '../model/picture.ts'
import { Choices } from './choices.ts'
import { Colours } from './colours.ts'
import { element, setText } from './dom.ts'
import { TimeWindow } from './time-window.ts'
import { Curves } from './views/curves.ts'
import { FleetLanes } from './views/fleet-lanes.ts'
import { Head } from './views/head.ts'
import { Phases } from './views/phases.ts'
import { SwarmGraph } from './views/swarm-graph.ts'
import { Failures, SlowestServers } from './views/tables.ts'
import type { Words } from './words.ts'

/** Measures of drawing times, for the browser's developer tools. */
const MEASURE = 'draw'
const MAX_MEASURES = 500

/** All views of one picture. */
export class Page {
  readonly #window = new TimeWindow(() => this.#drawSoon())
  readonly #colours = new Colours(() => this.#drawSoon())
  readonly #pause = element('button', { type: 'button', 'aria-pressed': 'false' }, 'Pause')
  readonly #choices = new Choices()
  readonly #head: Head
  readonly #curves: Curves
  readonly #phases: Phases
  readonly #lanes: FleetLanes
  readonly #graph = new SwarmGraph(() => this.#drawSoon())
  readonly #slowest: SlowestServers
  readonly #failures: Failures
  #picture: Picture | undefined
  /** The picture that is drawn while the page is paused. */
  #held: Picture | undefined
  #note = ''
  #shorts: readonly string[] = []
  #isDue = false
  #measures = 0

  constructor(root: HTMLElement, words: Words) {
    this.#curves = new Curves(this.#window, this.#colours, words)
    this.#phases = new Phases(words)
    this.#lanes = new FleetLanes(this.#window, this.#colours, words, () => this.#drawSoon())
    this.#slowest = new SlowestServers(words)
    this.#failures = new Failures(words)
    this.#pause.addEventListener('click', () => this.#togglePause())
    const zoom = (text: string, label: string, act: () => void) => {
      const button = element('button', { type: 'button', 'aria-label': label, title: label }, text)
      button.addEventListener('click', act)
      return button
    }
    this.#head = new Head(
      words,
      this.#pause,
      zoom('+', 'Zoom in', () => this.#window.zoom(0.5)),
      zoom('−', 'Zoom out', () => this.#window.zoom(2)),
      zoom('All', 'All of the time', () => this.#window.reset()),
    )
    root.replaceChildren(
      this.#choices.root,
      this.#head.root,
      this.#head.tiles,
      this.#failures.root,
      element(
        'div',
        { class: words.knowsFlows ? 'charts' : 'charts no-graph' },
        this.#phases.root,
        this.#curves.completion,
        this.#curves.seeder,
        ...(words.knowsFlows ? [this.#graph.root] : []),
      ),
      this.#lanes.root,
      this.#slowest.root,
    )
    new ResizeObserver(() => this.#drawSoon()).observe(root)
  }

  /** Other pictures than this one. */
  offer(choices: readonly Choice[]): void {
    this.#choices.show(choices)
  }

  /** `note`: what is said beside the state. */
  show(picture: Picture, note = ''): void {
    if (picture.servers.length !== this.#shorts.length)
      this.#shorts = shortNames(picture.servers.map(({ server }) => server))
    this.#picture = picture
    this.#note = note
    this.#drawSoon()
  }

  #togglePause(): void {
    const isPaused = this.#held === undefined && this.#picture !== undefined
    this.#held = isPaused ? structuredClone(this.#picture) : undefined
    this.#pause.setAttribute('aria-pressed', String(isPaused))
    setText(this.#pause, isPaused ? 'Go on' : 'Pause')
    this.#drawSoon()
  }

  #drawSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    requestAnimationFrame((nowMs) => {
      this.#isDue = false
      this.#draw(nowMs)
    })
  }

  #draw(nowMs: number): void {
    const picture = this.#held ?? this.#picture
    if (!picture) return
    const start = performance.now()
    this.#pause.hidden = picture.run.outcome !== 'running'
    this.#window.endS = picture.run.atS
    this.#head.show(picture, this.#held ? 'paused here, the deploy goes on' : this.#note)
    this.#phases.show(picture)
    this.#curves.show(picture)
    this.#graph.show(picture, this.#shorts, nowMs)
    const order = slowestFirst(picture)
    this.#lanes.show(picture, this.#shorts, order)
    this.#slowest.show(picture, this.#shorts, order)
    this.#failures.show(picture)
    if (this.#measures++ % MAX_MEASURES === 0) performance.clearMeasures(MEASURE)
    performance.measure(MEASURE, { start })
  }
}
