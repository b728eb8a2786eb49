import type { Choice } from '../model/picture.ts'
import { element } from './dom.ts'

/** Links to the pictures that there are, where there is more than one. */
export class Choices {
  readonly root = element('nav', { 'aria-label': 'Swarms', class: 'choices', hidden: '' })

  show(choices: readonly Choice[]): void {
    const chosen = new URLSearchParams(location.search).get('swarm') ?? choices[0]?.id
    this.root.hidden = choices.length < 2
    if (this.root.hidden) return
    const focused = document.activeElement?.getAttribute('href')
    this.root.replaceChildren(
      ...choices.map(({ id, name, done, servers }) => {
        const link = element(
          'a',
          { href: `?swarm=${encodeURIComponent(id)}` },
          `${name}: ${done} of ${servers}`,
        )
        if (id === chosen) link.setAttribute('aria-current', 'page')
        return link
      }),
    )
    if (focused)
      [...this.root.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus()
  }
}
