import type { Lane } from '../model/picture.ts'

/** The colours of the style sheet, for drawing on a canvas. Read again when the system turns dark or light. */
export class Colours {
  #known = new Map<string, string>()

  constructor(onChange: () => void) {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#known = new Map()
      onChange()
    })
  }

  get(name: 'text' | 'quiet' | 'line' | 'surface' | 'accent' | 'select' | Lane): string {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
    this.#known.set(name, value)
    return value
  }
}
