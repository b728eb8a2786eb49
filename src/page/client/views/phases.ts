import { laneCounts } from '../../model/fleet.ts'
import type { Lane, Picture } from '../../model/picture.ts'
import { drawn, element, panel, setText } from '../dom.ts'
import { capital, type Words } from '../words.ts'

/** The state of the fleet: one row for each lane, with the number of servers in it. */
export class Phases {
  readonly root: HTMLElement
  readonly #rows = new Map<Lane, { root: HTMLElement; bar: SVGElement; count: HTMLElement }>()

  constructor({ lanes, laneNames, servers }: Words) {
    const { root, body } = panel(`${capital(servers)} by phase`, 'phases')
    const list = element('ul', { class: 'phases' })
    for (const lane of lanes) {
      const bar = drawn('rect', { class: `fill-${lane}`, x: 0, y: 0, width: 0, height: 10, rx: 2 })
      const count = element('span', { class: 'count' })
      const picture = drawn(
        'svg',
        { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        bar,
      )
      const row = element('li', {}, element('span', { class: 'name' }, laneNames[lane]), picture, count)
      this.#rows.set(lane, { root: row, bar, count })
      list.append(row)
    }
    body.append(list)
    this.root = root
  }

  show({ servers }: Picture): void {
    const counts = laneCounts(servers)
    for (const [lane, { root, bar, count }] of this.#rows) {
      bar.setAttribute('width', String((100 * counts[lane]) / (servers.length || 1)))
      setText(count, String(counts[lane]))
      root.classList.toggle('empty', counts[lane] === 0)
    }
  }
}
