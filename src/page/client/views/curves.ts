import uPlot from 'uplot'
import { bytes, duration } from '../../../text/format.ts'
import { limitOf } from '../../model/limit.ts'
import type { Picture } from '../../model/picture.ts'
import type { Colours } from '../colours.ts'
import { element, panel } from '../dom.ts'
import type { TimeWindow } from '../time-window.ts'
import type { Words } from '../words.ts'

const HEIGHT_PX = 190
const FONT = '11px system-ui, sans-serif'

/** The completion curve beside the limit, and the seeder's bytes as a multiple of the size. */
export class Curves {
  readonly completion: HTMLElement
  readonly seeder: HTMLElement
  readonly #window: TimeWindow
  readonly #colours: Colours
  readonly #charts: Chart[]
  readonly #words: Words
  #limit: ReturnType<typeof limitOf>

  constructor(window: TimeWindow, colours: Colours, words: Words) {
    this.#words = words
    this.#window = window
    this.#colours = colours
    const key = element(
      'p',
      { class: 'key' },
      element('span', { class: 'has' }, words.have),
      element('span', { class: 'content' }, 'content on the way'),
      element('span', { class: 'limit' }, 'limit S/B'),
    )
    const completion = panel('Completion', 'completion', key)
    const seeder = panel(`Sent by ${words.seeder}, times the size`, 'seeder')
    this.completion = completion.root
    this.seeder = seeder.root
    const done = [this.#series('live', uPlot.paths.stepped?.({ align: 1 })), this.#series('transfer')]
    this.#charts = [
      this.#chart(
        completion.body,
        done,
        (value) => (Number.isInteger(value) ? String(value) : ''),
        () => this.#limit?.untilS,
      ),
      this.#chart(seeder.body, [this.#series('accent')], (value) => `${value}×`),
    ]
  }

  show(picture: Picture): void {
    const { run, servers, samples } = picture
    this.#limit = limitOf(picture)
    const of = (value: (sample: Picture['samples'][number]) => number) => [
      ...samples.map(value),
      ...samples.slice(-1).map(value),
    ]
    const times = [...samples.map(({ atS }) => atS), ...samples.slice(-1).map(() => run.atS)]
    const size = run.size || 1
    const [completion, seeder] = this.#charts
    completion?.show([times, of(({ done }) => done), of((sample) => sample.bytes / size)], servers.length)
    seeder?.show([times, of(({ sent }) => sent / size)], Math.max(1.2, (run.seederSent / size) * 1.1))
    const last = samples.at(-1)
    const limit = this.#limit
    const bound = limit ? ` The limit is ${duration(limit.untilS)} after the start.` : ''
    completion?.describe(
      `${last?.done ?? 0} of ${servers.length} ${this.#words.servers} ${this.#words.have} after ${duration(run.atS)}.${bound}`,
    )
    seeder?.describe(
      `Sent by ${this.#words.seeder}: ${bytes(run.seederSent)}, ${(run.seederSent / size).toFixed(2)} times the size.`,
    )
  }

  #series(colour: 'live' | 'transfer' | 'accent', paths?: uPlot.Series.PathBuilder): uPlot.Series {
    const stroke = () => this.#colours.get(colour)
    return { stroke, width: 2, points: { show: false }, ...(paths ? { paths } : {}) }
  }

  #chart(
    body: HTMLElement,
    series: uPlot.Series[],
    label: (value: number) => string,
    limitS: () => number | undefined = () => undefined,
  ): Chart {
    const axis = {
      stroke: () => this.#colours.get('quiet'),
      grid: { stroke: () => this.#colours.get('line'), width: 1 },
      ticks: { show: false },
      font: FONT,
    }
    return new Chart(body, {
      series,
      window: this.#window,
      x: {
        ...axis,
        size: 26,
        values: (_, at) => at.map((seconds) => (seconds < 120 ? `${seconds} s` : duration(seconds))),
      },
      y: {
        ...axis,
        size: 44,
        values: (_, at) => at.map(label),
      },
      over: (plot) => this.#drawLimit(plot, limitS()),
    })
  }

  #drawLimit(plot: uPlot, limitS: number | undefined): void {
    if (limitS === undefined || limitS < this.#window.fromS || limitS > this.#window.toS) return
    const { ctx, bbox } = plot
    const x = Math.round(plot.valToPos(limitS, 'x', true))
    ctx.save()
    ctx.strokeStyle = this.#colours.get('quiet')
    ctx.setLineDash([4, 4])
    ctx.lineWidth = 2
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.restore()
  }
}

interface ChartOptions {
  series: uPlot.Series[]
  window: TimeWindow
  x: uPlot.Axis
  y: uPlot.Axis
  over: (plot: uPlot) => void
}

class Chart {
  readonly #plot: uPlot
  readonly #image = element('div', { role: 'img', class: 'plot' })
  #most = 1

  constructor(root: HTMLElement, { series, window, x, y, over }: ChartOptions) {
    root.append(this.#image)
    this.#plot = new uPlot(
      {
        width: 300,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: {
          x: { time: false, range: () => [window.fromS, window.toS] },
          y: { range: () => [0, this.#most] },
        },
        axes: [x, y],
        series: [{}, ...series],
        hooks: {
          draw: [over],
          setSelect: [
            (plot) => {
              const { left, width } = plot.select
              if (width < 4) return
              window.choose(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            },
          ],
        },
      },
      [[], ...series.map(() => [])],
      this.#image,
    )
    new ResizeObserver(([entry]) => {
      const width = Math.max(200, Math.floor(entry?.contentRect.width ?? 0))
      if (width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT_PX })
    }).observe(root)
  }

  show(data: number[][], most: number): void {
    this.#most = Math.max(most, 0.1)
    this.#plot.setData(data as uPlot.AlignedData)
  }

  describe(text: string): void {
    if (this.#image.getAttribute('aria-label') !== text) this.#image.setAttribute('aria-label', text)
  }
}
