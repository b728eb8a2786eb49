import type { Picture } from '../../model/picture.ts'
import type { Colours } from '../colours.ts'
import { element, panel, setText } from '../dom.ts'
import type { TimeWindow } from '../time-window.ts'
import { capital, type Words } from '../words.ts'
import { AXIS_PX, DENSE_PX, drawLanes, MIN_NAMED_PX } from './lane-drawing.ts'
import { serverText } from './server-text.ts'

const ROOMY_PX = 20
const TINY_PX = 4
const MAX_HEIGHT_PX = 420
const NAME_PX = 150
const NARROW_NAME_PX = 88

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
    const drawing = { context, width, height, rowPx: this.#rowPx, left: this.#nameWidth, topPx: this.#top }
    drawLanes({ ...drawing, window: this.#window, colours: this.#colours }, this.#picture, {
      shorts: this.#shorts,
      order: this.#order,
      chosen: this.#row,
    })
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

function setHeight(element: HTMLElement, px: number): void {
  const height = `${px}px`
  if (element.style.height !== height) element.style.height = height
}
