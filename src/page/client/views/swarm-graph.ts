import { bytes, rate, shorten } from '../../../text/format.ts'
import { type Flow, flowsBetween } from '../../model/flows.ts'
import { type Group, groupsOf } from '../../model/groups.ts'
import { hasRelease, type Picture } from '../../model/picture.ts'
import { drawn, element, panel, setText } from '../dom.ts'

const WIDTH = 600
const HEIGHT = 420
const CENTRE = WIDTH / 2
const MIDDLE = HEIGHT / 2
const ORBIT = 150
/** The thickest line, with few lines and with many. */
const MAX_LINE = 9
const MIN_WIDEST_LINE = 2.5
const FEW_LINES = 8
const MAX_LABEL_CHARACTERS = 18
/** Of text, in units of the drawing and on the screen, whatever the size of the drawing. */
const TEXT = 11.5
const LEAST_TEXT_PX = 11
const CHARACTER_WIDTH = 0.6
/** Beside the outermost node. */
const LABEL_ROOM = WIDTH - CENTRE - ORBIT - 15
/** The least time between redraws: it consists of many elements, and eyes need time. */
const REDRAW_MS = 900

/** Which server sends to which: the seeder in the middle, servers or groups of them around it. A group opens with a click. */
export class SwarmGraph {
  readonly root: HTMLElement
  readonly #svg = drawn('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', class: 'swarm' })
  readonly #summary = element('p', { class: 'details' })
  readonly #back = element('button', { type: 'button', hidden: '' }, 'Whole fleet')
  readonly #title: HTMLElement
  readonly #onChange: () => void
  /** The servers of the group that is open. */
  #within: number[] | undefined
  #groups: Group[] = []
  #groupedFor = ''
  #drawnAtMs = 0
  #labelCharacters = MAX_LABEL_CHARACTERS

  constructor(onChange: () => void) {
    this.#onChange = () => {
      this.#drawnAtMs = 0
      onChange()
    }
    const { root, body } = panel('Who sends to whom', 'swarm', this.#back)
    this.root = root
    this.#title = root.querySelector('h2') as HTMLElement
    body.append(this.#svg, this.#summary)
    this.#back.addEventListener('click', () => this.#open(undefined))
  }

  show(picture: Picture, shorts: readonly string[], nowMs: number): void {
    if (nowMs - this.#drawnAtMs < REDRAW_MS && picture.run.outcome === 'running') return
    this.#drawnAtMs = nowMs
    const labels = picture.servers.map(({ server }) => server)
    const key = `${labels.length} ${this.#within?.join()}`
    if (key !== this.#groupedFor) this.#groups = groupsOf(labels, shorts, this.#within)
    this.#groupedFor = key
    const isNow =
      picture.run.outcome === 'running' &&
      picture.servers.some(({ from }) => from.some(([, , now]) => now > 0))
    const by = isNow ? 'rate' : 'bytes'
    setText(this.#title, isNow ? 'Who sends to whom now' : 'Who sent to whom')
    const flows = flowsBetween(picture.servers, this.#groups, by)
    this.#draw(picture, flows, by)
    this.#describe(flows, by)
  }

  #open(members: number[] | undefined): void {
    this.#within = members
    this.#back.hidden = members === undefined
    this.#onChange()
  }

  #draw(picture: Picture, flows: readonly Flow[], by: 'rate' | 'bytes'): void {
    this.#fitText()
    const focused = document.activeElement?.getAttribute('data-group')
    const most = Math.max(1, ...flows.map((flow) => flow[by]))
    const thickest = Math.max(MIN_WIDEST_LINE, MAX_LINE * Math.min(1, Math.sqrt(FEW_LINES / flows.length)))
    const links = flows
      .filter(({ from, to }) => from !== to)
      .map((flow) => {
        const width = Math.max(0.8, thickest * Math.sqrt(flow[by] / most))
        const [from, to] = [
          flow.from === 'seeder' ? [CENTRE, MIDDLE] : this.#at(flow.from),
          this.#at(flow.to),
        ]
        const isSeeder = flow.from === 'seeder'
        const path = drawn('path', {
          d: isSeeder ? line(from, to) : curve(from, to),
          class: isSeeder ? 'flow from-seeder' : 'flow',
          'stroke-width': width.toFixed(1),
        })
        path.append(
          drawn('title', {}, `${this.#name(flow.from)} → ${this.#name(flow.to)}: ${amount(flow, by)}`),
        )
        return path
      })
    const nodes = this.#groups.map((group, at) => this.#node(picture, group, at))
    const seeder = drawn(
      'g',
      { class: 'node' },
      drawn('circle', { class: 'seeder', cx: CENTRE, cy: MIDDLE, r: 13 }),
      drawn('text', { x: CENTRE, y: MIDDLE + 28, 'text-anchor': 'middle' }, 'seeder'),
    )
    this.#svg.replaceChildren(...links.reverse(), ...nodes, seeder)
    if (focused) (this.#svg.querySelector(`[data-group="${Number(focused)}"]`) as SVGElement | null)?.focus()
  }

  /** A small drawing has larger text, and less of it. */
  #fitText(): void {
    const { width, height } = this.#svg.getBoundingClientRect()
    const scale = Math.min(width / WIDTH, height / HEIGHT)
    const size = scale > 0 ? Math.max(TEXT, LEAST_TEXT_PX / scale) : TEXT
    this.#svg.style.fontSize = `${size}px`
    this.#labelCharacters = Math.min(MAX_LABEL_CHARACTERS, Math.floor(LABEL_ROOM / (size * CHARACTER_WIDTH)))
  }

  #node(picture: Picture, { name, members }: Group, at: number): SVGElement {
    const [x = 0, y = 0] = this.#at(at)
    const servers = members.flatMap((place) => picture.servers[place] ?? [])
    const done = servers.filter(hasRelease).length
    const failed = servers.filter(({ lane }) => lane === 'failed').length
    const share =
      servers.reduce((sum, { bytes: have }) => sum + have, 0) / ((picture.run.size || 1) * servers.length)
    const radius = servers.length === 1 ? 8 : Math.min(17, 8 + 2 * Math.log2(servers.length))
    const round = 2 * Math.PI * (radius + 2)
    const isRight = x >= CENTRE - 1
    const away = radius + 7
    const angle = Math.atan2(y - MIDDLE, x - CENTRE)
    const text = `${name}: ${done} of ${servers.length} have the release${failed > 0 ? `, ${failed} failed` : ''}`
    const isAll = (count: number) => count === servers.length
    const state = isAll(failed) ? 'has-failed' : failed > 0 ? 'has-failures' : isAll(done) ? 'has-all' : ''
    const opens = servers.length > 1
    const shown = shorten(name, this.#labelCharacters)
    // What is seen is part of what is read out (WCAG 2.5.3).
    const label = `${shown === name ? '' : `${shown}, `}${text}. Open`
    const role = opens ? { role: 'button', tabindex: 0, 'data-group': at, 'aria-label': label } : {}
    const node = drawn(
      'g',
      { class: `node ${state}`, ...role },
      drawn('title', {}, text),
      drawn('circle', { cx: x, cy: y, r: radius }),
      drawn('circle', {
        class: 'progress',
        cx: x,
        cy: y,
        r: radius + 2,
        'stroke-dasharray': `${(round * Math.min(1, share)).toFixed(1)} ${round.toFixed(1)}`,
        transform: `rotate(-90 ${x} ${y})`,
      }),
      drawn(
        'text',
        {
          x: x + Math.cos(angle) * away,
          y: y + Math.sin(angle) * (away + 3) + 4,
          'text-anchor': Math.abs(Math.cos(angle)) < 0.15 ? 'middle' : isRight ? 'start' : 'end',
        },
        shown,
      ),
    )
    if (!opens) return node
    node.addEventListener('click', () => this.#open(members))
    node.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      this.#open(members)
    })
    return node
  }

  #at(group: number): [number, number] {
    const angle =
      (2 * Math.PI * group) / this.#groups.length -
      Math.PI / 2 +
      (this.#groups.length === 1 ? Math.PI / 2 : 0)
    return [Math.round(CENTRE + ORBIT * Math.cos(angle)), Math.round(MIDDLE + ORBIT * Math.sin(angle))]
  }

  #name(at: Flow['from']): string {
    return at === 'seeder' ? at : (this.#groups[at]?.name ?? '')
  }

  #describe(flows: readonly Flow[], by: 'rate' | 'bytes'): void {
    const [sum, seeder] = [flows, flows.filter(({ from }) => from === 'seeder')].map((some) =>
      some.reduce((total, flow) => total + flow[by], 0),
    )
    const [first] = flows
    const share = sum ? Math.round((100 * (sum - (seeder ?? 0))) / sum) : 0
    const text = first
      ? `${this.#groups.length > 1 ? `${share} % of it comes from other servers. ` : ''}Most: ${this.#name(first.from)} → ${this.#name(first.to)}, ${amount(first, by)}.`
      : by === 'rate'
        ? 'Nothing is sent.'
        : 'Nothing has been sent.'
    setText(this.#summary, text)
    this.#svg.setAttribute('aria-label', text)
  }
}

const amount = (flow: Flow, by: 'rate' | 'bytes') => (by === 'rate' ? rate(flow.rate) : bytes(flow.bytes))

const line = ([x1 = 0, y1 = 0]: number[], [x2 = 0, y2 = 0]: number[]) => `M${x1} ${y1}L${x2} ${y2}`

/** Bent towards the middle, so that lines on the edge of the circle do not run through its nodes. */
const curve = ([x1 = 0, y1 = 0]: number[], [x2 = 0, y2 = 0]: number[]) => {
  const towards = (one: number, other: number, middle: number) =>
    Math.round(middle + ((one + other) / 2 - middle) * 0.45)
  return `M${x1} ${y1}Q${towards(x1, x2, CENTRE)} ${towards(y1, y2, MIDDLE)} ${x2} ${y2}`
}
