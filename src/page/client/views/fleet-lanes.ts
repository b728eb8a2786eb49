import { bytes, duration, percent, rate } from '../../../text/format.ts'
import type { Picture, ServerPicture } from '../../model/picture.ts'
import type { Colours } from '../colours.ts'
import { element, panel, setText } from '../dom.ts'
import type { TimeWindow } from '../time-window.ts'
import { capital, type Words } from '../words.ts'

const ROOMY_PX = 20
const DENSE_PX = 9
const TINY_PX = 4
const MAX_HEIGHT_PX = 420
const NAME_PX = 150
const NARROW_NAME_PX = 88
/** Lower rows would make names illegible. */
const MIN_NAMED_PX = 12
const AXIS_PX = 18

/**
 * Every server as a lane over time, coloured by phase. Only what is visible is drawn, so a thousand servers cost no more than
 * forty.
 */
export class FleetLanes {
  readonly root: HTMLElement
  readonly #colours: Colours
  readonly #window: TimeWindow
  readonly #words: Words
  readonly #canvas = element('canvas', {
    tabindex: '0',
    role: 'application',
    'aria-roledescription': 'lanes',
  })
  readonly #scroller = element('div', { class: 'scroller' })
  readonly #height = element('div', { class: 'height' })
  readonly #details = element('p', { class: 'details', 'aria-live': 'polite' })
  #picture: Picture | undefined
  #shorts: readonly string[] = []
  #order: readonly number[] = []
  /** Both are observed and not asked for: to ask makes the browser lay out the whole page, in the middle of a drawing. */
  #width = 0
  #top = 0
  /** The row that the keyboard or the pointer is on. */
  #row: number | undefined

  constructor(window: TimeWindow, colours: Colours, words: Words, onChange: () => void) {
    this.#words = words
    this.#window = window
    this.#colours = colours
    const key = element(
      'p',
      { class: 'key' },
      ...words.lanes
        .filter((lane) => lane !== 'ready' || !words.lanes.includes('live'))
        .map((lane) => element('span', { class: lane }, words.laneNames[lane])),
    )
    const { root, body } = panel(capital(words.servers), 'servers', key)
    this.root = root
    this.#scroller.append(this.#height, this.#canvas)
    body.append(this.#scroller, this.#details)
    this.#scroller.addEventListener('scroll', () => {
      this.#top = this.#scroller.scrollTop
      onChange()
    })
    new ResizeObserver(([entry]) => {
      this.#width = Math.floor(entry?.contentRect.width ?? 0)
      onChange()
    }).observe(this.#scroller)
    this.#canvas.addEventListener('pointermove', (event) => this.#point(event.offsetY, onChange))
    this.#canvas.addEventListener('click', (event) => this.#point(event.offsetY, onChange))
    this.#canvas.addEventListener('keydown', (event) => this.#key(event, onChange))
    this.#canvas.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return
        event.preventDefault()
        const { fromS, toS } = window
        const share = (event.offsetX - this.#nameWidth) / (this.#width - this.#nameWidth)
        window.zoom(event.deltaY > 0 ? 1.25 : 0.8, fromS + share * (toS - fromS))
      },
      { passive: false },
    )
  }

  /** `order`: places of the servers, as they are drawn. */
  show(picture: Picture, shorts: readonly string[], order: readonly number[]): void {
    this.#picture = picture
    this.#shorts = shorts
    this.#order = order
    const whole = this.#order.length * this.#rowPx + AXIS_PX
    const height = Math.min(whole, MAX_HEIGHT_PX)
    setHeight(this.#height, whole)
    setHeight(this.#scroller, height)
    this.#draw(height)
    this.#describe()
  }

  get #rowPx(): number {
    const count = this.#order.length
    return count <= 40 ? ROOMY_PX : count <= 120 ? DENSE_PX + 4 : count <= 300 ? DENSE_PX : TINY_PX
  }

  get #nameWidth(): number {
    if (this.#rowPx < MIN_NAMED_PX) return 8
    return this.#width < 600 ? NARROW_NAME_PX : NAME_PX
  }

  #draw(height: number): void {
    const [canvas, width, ratio] = [this.#canvas, this.#width, devicePixelRatio || 1]
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
    }
    const context = canvas.getContext('2d')
    if (!context || !this.#picture) return
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    const top = this.#top
    const first = Math.floor(top / this.#rowPx)
    const last = Math.min(this.#order.length, Math.ceil((top + height - AXIS_PX) / this.#rowPx))
    context.save()
    context.beginPath()
    context.rect(0, 0, width, height - AXIS_PX)
    context.clip()
    for (let row = first; row < last; row++) this.#drawRow(context, row, row * this.#rowPx - top)
    context.restore()
    this.#drawAxis(context, width, height)
  }

  #drawRow(context: CanvasRenderingContext2D, row: number, y: number): void {
    const place = this.#order[row] ?? 0
    const server = this.#picture?.servers[place]
    if (!server) return
    const [rowPx, left] = [this.#rowPx, this.#nameWidth]
    if (row === this.#row) {
      context.fillStyle = this.#colours.get('select')
      context.fillRect(0, y, this.#width, rowPx)
    }
    if (rowPx >= MIN_NAMED_PX) {
      context.fillStyle = this.#colours.get(server.lane === 'failed' ? 'failed' : 'text')
      context.font = `${Math.min(12, rowPx - 2)}px system-ui, sans-serif`
      context.textBaseline = 'middle'
      context.fillText(fitted(context, this.#shorts[place] ?? '', left - 12), 4, y + rowPx / 2)
    }
    const gap = rowPx >= DENSE_PX ? 2 : 0
    for (const [lane, beganS, endedS] of server.spans) {
      const isOver = lane === 'ready' || lane === 'live' || lane === 'failed'
      const [from, to] = [this.#x(beganS), this.#x(endedS ?? this.#picture?.run.atS ?? beganS)]
      if (to < left || from > this.#width) continue
      const begin = Math.max(from, left)
      context.globalAlpha = isOver ? (lane === 'failed' ? 0.5 : 0.28) : 1
      context.fillStyle = this.#colours.get(lane)
      context.fillRect(begin, y + gap, Math.max(to - begin, isOver ? 2 : 1), rowPx - 2 * gap)
      context.globalAlpha = 1
    }
  }

  #drawAxis(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { fromS, toS } = this.#window
    const step = niceStep((toS - fromS) / Math.max(2, (width - this.#nameWidth) / 90))
    context.font = '11px system-ui, sans-serif'
    context.textBaseline = 'alphabetic'
    context.fillStyle = this.#colours.get('quiet')
    for (let atS = Math.ceil(fromS / step) * step; atS <= toS; atS += step) {
      const label = atS < 120 ? `${Number(atS.toFixed(2))} s` : duration(atS)
      const x = Math.min(this.#x(atS), width - context.measureText(label).width - 2)
      context.fillText(label, x, height - 4)
    }
  }

  #x(atS: number): number {
    const { fromS, toS } = this.#window
    return this.#nameWidth + ((atS - fromS) / (toS - fromS)) * (this.#width - this.#nameWidth)
  }

  #point(offsetY: number, onChange: () => void): void {
    const row = Math.floor((offsetY + this.#scroller.scrollTop) / this.#rowPx)
    if (row === this.#row || row >= this.#order.length) return
    this.#row = row
    onChange()
  }

  #key(event: KeyboardEvent, onChange: () => void): void {
    const last = this.#order.length - 1
    const row = this.#row ?? -1
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / this.#rowPx) - 1)
    const rows: Record<string, number> = {
      ArrowDown: row + 1,
      ArrowUp: row - 1,
      PageDown: row + page,
      PageUp: row - page,
      Home: 0,
      End: last,
    }
    const next = rows[event.key]
    if (next !== undefined) {
      this.#row = Math.min(Math.max(next, 0), last)
      const y = this.#row * this.#rowPx
      const { scrollTop, clientHeight } = this.#scroller
      if (y < scrollTop) this.#scroller.scrollTop = y
      else if (y + this.#rowPx > scrollTop + clientHeight - AXIS_PX)
        this.#scroller.scrollTop = y + this.#rowPx - clientHeight + AXIS_PX
    } else if (event.key === 'ArrowLeft') this.#window.move(-0.2)
    else if (event.key === 'ArrowRight') this.#window.move(0.2)
    else if (event.key === '+' || event.key === '=') this.#window.zoom(0.7)
    else if (event.key === '-') this.#window.zoom(1.4)
    else if (event.key === '0') this.#window.reset()
    else return
    event.preventDefault()
    onChange()
  }

  #describe(): void {
    const picture = this.#picture
    if (!picture) return
    const place = this.#row === undefined ? undefined : this.#order[this.#row]
    const server = place === undefined ? undefined : picture.servers[place]
    const { server: one, servers: many } = this.#words
    const count = `${picture.servers.length} ${picture.servers.length === 1 ? one : many}`
    const label = `${count}, slowest first. Arrows up and down choose a ${one}, plus and minus zoom, 0 shows all.`
    if (this.#canvas.getAttribute('aria-label') !== label) this.#canvas.setAttribute('aria-label', label)
    const hint = 'Point at a lane, or move with the arrow keys; + and − zoom. Slowest first.'
    setText(this.#details, server ? serverText(server, picture, this.#words) : hint)
  }
}

/** One server in one line. */
function serverText(server: ServerPicture, { run }: Picture, { laneNames }: Words): string {
  const spans = server.spans
    .filter(([lane]) => lane !== 'ready' && lane !== 'live' && lane !== 'failed')
    .map(([lane, beganS, endedS]) => `${laneNames[lane]} ${duration((endedS ?? run.atS) - beganS)}`)
  const moving =
    server.lane === 'transfer'
      ? [`${percent(server.bytes, run.size)} of ${bytes(run.size)}, ${rate(server.rate)}`]
      : []
  const failure = server.failure
    ? [
        `${server.failure.step}: ${server.failure.cause}${server.failure.cure ? ` — ${server.failure.cure}` : ''}`,
      ]
    : []
  return [
    `${server.server}: ${laneNames[server.lane]}`,
    ...moving,
    ...failure,
    server.why ?? '',
    spans.join(', '),
  ]
    .filter(Boolean)
    .join(' · ')
}

function setHeight(element: HTMLElement, px: number): void {
  const height = `${px}px`
  if (element.style.height !== height) element.style.height = height
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? least
}

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text
  const characters = [...text]
  const share = width / context.measureText(text).width
  return `${characters.slice(0, Math.max(1, Math.floor(characters.length * share) - 1)).join('')}…`
}
