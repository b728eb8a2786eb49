import { sharedCause } from '../../../report/failure-groups.ts'
import { duration, nameSome, percent, rate } from '../../../text/format.ts'
import { sharedFailures } from '../../model/failures.ts'
import { doneAtS, inLaneS, medianDoneS } from '../../model/fleet.ts'
import { hasRelease, type Picture, type ServerPicture } from '../../model/picture.ts'
import { element, panel, setText } from '../dom.ts'
import { capital, type Words } from '../words.ts'

const SLOWEST = 8
const MAX_FAILURES = 50
const MAX_NAMES = 8

/** The servers that the run is waiting for, or waited for last. */
export class SlowestServers {
  readonly root: HTMLElement
  readonly #rows: Rows
  readonly #words: Words

  constructor(words: Words) {
    this.#words = words
    this.#rows = new Rows([words.server, 'phase', 'time', 'share', 'rate', 'behind', 'cause'])
    const { root, body } = panel(`Slowest ${words.servers}`, 'slowest')
    body.append(this.#rows.root)
    this.root = root
  }

  /** `order`: places of the servers, slowest first. */
  show(picture: Picture, shorts: readonly string[], order: readonly number[]): void {
    const median = medianDoneS(picture.servers)
    const slow = order.filter((place) => picture.servers[place]?.lane !== 'failed')
    this.#rows.show(
      slow.slice(0, SLOWEST).flatMap((place) => {
        const server = picture.servers[place]
        return server ? [[shorts[place] ?? '', ...row(server, picture, median, this.#words)]] : []
      }),
    )
    this.root.hidden = slow.length === 0
  }
}

function row(
  server: ServerPicture,
  { run }: Picture,
  median: number | undefined,
  { laneNames }: Words,
): string[] {
  const atS = doneAtS(server)
  const isDone = hasRelease(server)
  const late = median === undefined ? undefined : (atS ?? run.atS) - median
  const time = isDone ? `after ${duration(atS ?? run.atS)}` : `for ${duration(inLaneS(server, run.atS))}`
  return [
    laneNames[server.lane],
    time,
    server.lane === 'transfer' ? percent(server.bytes, run.size) : isDone ? '100%' : '',
    server.rate > 0 ? rate(server.rate) : '',
    late === undefined || late < 0.05 ? '' : `${duration(late)} after half of them`,
    server.why ?? '',
  ]
}

/** Failures, their causes and cures. */
export class Failures {
  readonly root: HTMLElement
  /** It scrolls, also with the keyboard. */
  readonly #list = element('ul', {
    class: 'failures',
    tabindex: '0',
    'aria-live': 'polite',
    'aria-labelledby': 'failures-title',
  })
  #shown = ''

  constructor({ failed }: Words) {
    const { root, body } = panel(capital(failed), 'failures')
    body.append(this.#list)
    this.root = root
    root.hidden = true
  }

  show({ servers }: Picture): void {
    const failed = sharedFailures(servers)
    this.root.hidden = failed.length === 0
    const text = JSON.stringify(failed)
    if (text === this.#shown) return
    this.#shown = text
    const rows = failed.slice(0, MAX_FAILURES).map((group) => {
      const { servers, step, cure } = group
      return element(
        'li',
        {},
        element('strong', {}, nameSome(servers, MAX_NAMES)),
        element('span', { class: 'step' }, step),
        element('p', {}, sharedCause(group)),
        ...(cure === undefined ? [] : [element('p', { class: 'cure' }, cure)]),
      )
    })
    const more = failed.length - rows.length
    this.#list.replaceChildren(...rows, ...(more > 0 ? [element('li', {}, `… and ${more} more`)] : []))
  }
}

/** A table that keeps its cells, so that only text changes. */
class Rows {
  readonly root: HTMLElement
  readonly #body = element('tbody')
  readonly #columns: readonly string[]

  constructor(columns: readonly string[]) {
    this.#columns = columns
    const titles = columns.map((title) => element('th', { scope: 'col', class: title }, title))
    const table = element('table', {}, element('thead', {}, element('tr', {}, ...titles)), this.#body)
    this.root = element('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'table' }, table)
  }

  show(rows: readonly (readonly string[])[]): void {
    while (this.#body.rows.length > rows.length) this.#body.deleteRow(-1)
    while (this.#body.rows.length < rows.length)
      this.#body.append(element('tr', {}, ...this.#columns.map((title) => element('td', { class: title }))))
    const hasCauses = rows.some((cells) => cells.at(-1) !== '')
    this.root.classList.toggle('no-causes', !hasCauses)
    for (const [at, cells] of rows.entries()) {
      const row = this.#body.rows[at]
      for (const [column, text] of cells.entries()) {
        const cell = row?.cells[column]
        if (cell) setText(cell, text)
      }
    }
  }
}
