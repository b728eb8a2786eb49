import { widthOf } from './format.ts'
import { isCommand, wordsOf } from './words.ts'

/** Columns, left-aligned, two spaces apart, no trailing spaces. Every line of a cell becomes a line. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  const lines = rows.map((row) => row.map((cell) => cell.split('\n')))
  for (const row of lines)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, ...cell.map(widthOf))
    })
  return lines
    .flatMap((row) => {
      const height = Math.max(1, ...row.map((cell) => cell.length))
      return Array.from({ length: height }, (_, line) =>
        row
          .map((cell, column) => pad(cell[line] ?? '', widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      )
    })
    .join('\n')
}

const pad = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - widthOf(text)))

/**
 * `text` in lines of at most `width` characters, broken at spaces, inside a word only when it is longer than a line. A command is
 * never broken: the terminal wraps it, and copies it as one line.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of wordsOf(text)) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) <= width) {
      line += ` ${word}`
      continue
    }
    if (line !== '') lines.push(line)
    const letters = [...word]
    while (letters.length > width && !isCommand(word)) lines.push(letters.splice(0, width).join(''))
    line = letters.join('')
  }
  return [...lines, line]
}
