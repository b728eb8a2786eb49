export interface Series {
  name: string
  /** Behind the name in the legend: the figure that the line ends with. */
  note?: string
  points: [number, number][]
  dots?: boolean
}

export interface Chart {
  title: string
  x: string
  y: string
  series: Series[]
  /** Axes that count things: ticks at whole numbers only. */
  whole: ('x' | 'y')[]
  /** A vertical line. */
  marker?: { x: number; label: string }
}

export const WIDTH = 860
/** Room for the title above what is drawn. */
const TITLE_HEIGHT = 40
const HEIGHT = 380
const inset = { left: 64, right: 230, top: 60, bottom: 56 }
/** Distinct for eyes that see red and green alike (Okabe and Ito), then greys. */
export const colours = [
  '#0072b2',
  '#d55e00',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#7f7f7f',
  '#000000',
]

/** Line charts, one under the other, as one SVG document. */
export function svg(title: string, charts: Chart[]): string {
  const drawn = charts.map((chart, i) => `<g transform="translate(0 ${i * HEIGHT})">\n${draw(chart)}\n</g>`)
  return picture(title, charts.length * HEIGHT, drawn)
}

/** An SVG document with what is drawn, of this height, under its title. */
export function picture(title: string, height: number, drawn: readonly string[]): string {
  const total = TITLE_HEIGHT + height
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}"`,
    '  font-family="system-ui, sans-serif" font-size="13" fill="#222">',
    `<title>${escapeText(title)}</title>`,
    // It has its own background, so that it can be read on light and dark pages.
    `<rect width="${WIDTH}" height="${total}" rx="8" fill="#fff"/>`,
    `<text x="${inset.left}" y="28" font-size="15" font-weight="600">${escapeText(title)}</text>`,
    `<g transform="translate(0 ${TITLE_HEIGHT})">`,
    ...drawn,
    '</g>',
    '</svg>\n',
  ].join('\n')
}

function draw(chart: Chart): string {
  const all = chart.series.flatMap((series) => series.points)
  const right = niceEnd(
    Math.max(...all.map(([x]) => x), chart.marker?.x ?? 0, 1e-9),
    chart.whole.includes('x'),
  )
  const top = niceEnd(Math.max(...all.map(([, y]) => y), 1e-9), chart.whole.includes('y'))
  const bottomY = HEIGHT - inset.bottom
  const rightX = WIDTH - inset.right
  const at = (x: number) => round(inset.left + (x / right.end) * (rightX - inset.left))
  const up = (y: number) => round(bottomY - (y / top.end) * (bottomY - inset.top))

  const parts = [`<text x="${inset.left}" y="32" font-weight="600">${escapeText(chart.title)}</text>`]
  for (let y = 0; y <= top.end + 1e-9; y += top.step) {
    parts.push(line(inset.left, up(y), rightX, up(y), '#e5e5e5'))
    parts.push(`<text x="${inset.left - 8}" y="${up(y) + 4}" text-anchor="end">${label(y)}</text>`)
  }
  for (let x = 0; x <= right.end + 1e-9; x += right.step) {
    parts.push(line(at(x), bottomY, at(x), bottomY + 5, '#888'))
    parts.push(`<text x="${at(x)}" y="${bottomY + 20}" text-anchor="middle">${label(x)}</text>`)
  }
  parts.push(line(inset.left, bottomY, rightX, bottomY, '#888'))
  const middleX = (inset.left + rightX) / 2
  const middleY = (inset.top + bottomY) / 2
  parts.push(`<text x="${middleX}" y="${HEIGHT - 14}" text-anchor="middle">${escapeText(chart.x)}</text>`)
  parts.push(
    `<text transform="translate(18 ${middleY}) rotate(-90)" text-anchor="middle">${escapeText(chart.y)}</text>`,
  )
  if (chart.marker) {
    const x = at(chart.marker.x)
    parts.push(
      `<line x1="${x}" y1="${inset.top}" x2="${x}" y2="${bottomY}" stroke="#888" stroke-dasharray="4 4"/>`,
    )
    parts.push(
      `<text x="${x}" y="${inset.top - 6}" text-anchor="middle" fill="#666">${escapeText(chart.marker.label)}</text>`,
    )
  }
  // The first line is drawn last, so that none hides it.
  for (const [i, series] of [...chart.series.entries()].reverse()) {
    const colour = colours[i % colours.length]
    const points = series.points.map(([x, y]) => `${at(x)},${up(y)}`).join(' ')
    const stroke = i === 0 ? 3 : 1.8
    parts.push(
      `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="${stroke}" stroke-linejoin="round"${dash(i)}/>`,
    )
    if (series.dots) {
      for (const [x, y] of series.points)
        parts.push(`<circle cx="${at(x)}" cy="${up(y)}" r="3.5" fill="${colour}"/>`)
    }
    const y = inset.top + 8 + i * 22
    parts.push(
      `<path d="M${rightX + 18} ${y}h24" stroke="${colour}" stroke-width="${stroke}"${dash(i)}/>`,
      `<text x="${rightX + 50}" y="${y + 4}">${escapeText(series.name)}</text>`,
      `<text x="${WIDTH - 8}" y="${y + 4}" text-anchor="end" fill="#666">${escapeText(series.note ?? '')}</text>`,
    )
  }
  return parts.join('\n')
}

/** The end of an axis from 0 and the distance of its ticks: about six, of 1, 2 or 5 times a power of ten. */
function niceEnd(most: number, whole: boolean): { end: number; step: number } {
  const rough = most / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const nice = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const step = whole ? Math.max(1, nice) : nice
  return { end: Math.ceil(most / step) * step, step }
}

export const line = (x1: number, y1: number, x2: number, y2: number, colour: string, stroke = 1): string =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" stroke-width="${stroke}"/>`

/** From the sixth line on they are dashed, because some lie on top of others. */
const dash = (i: number): string => (i >= 5 ? ` stroke-dasharray="${2 + 3 * (i - 4)} 4"` : '')

const label = (value: number): string => String(Number(value.toPrecision(6)))
export const round = (value: number): number => Math.round(value * 10) / 10
export const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
