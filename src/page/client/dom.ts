/** An element with these attributes and children. Text is always text and never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/** The same in an SVG drawing. */
export function drawn(
  tag: string,
  attributes: Record<string, string | number>,
  ...children: (Node | string)[]
): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  made.append(...children)
  return made
}

/** Changes the text only if it differs, because a screen reader speaks every change. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

/** A part of the page with a heading, and elements beside the heading. */
export function panel(
  title: string,
  id: string,
  ...beside: Node[]
): { root: HTMLElement; body: HTMLElement } {
  const body = element('div', { class: 'body' })
  const heading = element('h2', { id: `${id}-title` }, title)
  const head = element('header', {}, heading, ...beside)
  const root = element('section', { id, 'aria-labelledby': `${id}-title` }, head, body)
  return { root, body }
}
