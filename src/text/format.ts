const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `1536` → `1.5 KiB`. Units of 1024 everywhere; one decimal below 100. */
export function bytes(count: number): string {
  let value = Math.max(0, count)
  let unit = 0
  // A value that would round to 1024 is shown as 1.0 of the next unit.
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits)} ${units[unit]}`
}

/** Bytes a second: `1536` → `1.5 KiB/s`. */
export function rate(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`
}

/** Seconds: `0.25 s`, `4.2 s`, `42 s`, `3 min`, `3 min 05 s`, `2 h 04 min`; `?` when unknown. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?'
  if (seconds < 10 && Number.isInteger(seconds)) return `${seconds} s`
  if (seconds < 0.995) return `${seconds.toFixed(2)} s`
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return parts(whole, 'min', 's')
  return parts(Math.round(seconds / 60), 'h', 'min')
}

const parts = (count: number, large: string, small: string) =>
  count % 60 === 0
    ? `${count / 60} ${large}`
    : `${Math.floor(count / 60)} ${large} ${String(count % 60).padStart(2, '0')} ${small}`

/** Whole percent, rounded down: 100 means that nothing is missing. */
export function percent(part: number, whole: number): string {
  return `${whole > 0 ? Math.floor((100 * Math.min(part, whole)) / whole) : 0}%`
}

const COLOUR_CODES = new RegExp(`${String.fromCharCode(27)}\\[[\\d;?]*[A-Za-z]`, 'g')

/** Makes untrusted text safe to print: no control characters but line breaks, so that nobody else can move the cursor. */
export const withoutControls = (text: string): string =>
  text.replace(COLOUR_CODES, '').replace(/[^\P{Cc}\n]|\p{Bidi_Control}/gu, ' ')

/** The same as one line. */
export const oneLine = (text: string): string => withoutControls(text).replace(/\s+/g, ' ').trim()

/** Length on a terminal, for text without control characters and wide characters. */
export const widthOf = (text: string): number => [...text].length

/** `text` cut to `width` characters, the last of them an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  return width <= 0 ? '' : `${[...text].slice(0, width - 1).join('')}…`
}

/** `text` in `width` characters, with an ellipsis in its middle: the beginning and the end of a name tell most. */
export function shorten(text: string, width: number): string {
  const letters = [...text]
  if (letters.length <= width) return text
  if (width <= 0) return ''
  const end = Math.floor((width - 1) / 2)
  return `${letters.slice(0, width - 1 - end).join('')}…${end > 0 ? letters.slice(-end).join('') : ''}`
}

/** `a, b, c and 12 more`: the first `most` names, or all when only one would be left out. */
export function nameSome(names: readonly string[], most: number): string {
  const [shown, more] = firstOf(names, most)
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}

/** The first `most` of `all`, and how many others there are; all of them when only one would be left out. */
export function firstOf<T>(all: readonly T[], most: number): [shown: readonly T[], more: number] {
  const count = all.length <= most + 1 ? all.length : most
  return [all.slice(0, count), all.length - count]
}
