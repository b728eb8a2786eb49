import { fittedTable } from '../text/fitted-table.ts'
import { firstOf, nameSome, oneLine, shorten, widthOf } from '../text/format.ts'
import { table, wrap } from '../text/table.ts'
import { wordsOf } from '../text/words.ts'

/** A fault on some servers. */
export interface Advice {
  servers: readonly string[]
  /** A step or a check. */
  at: string
  cause: string
  cure: string
}

/** So many servers are named; JSON has all. */
const MAX_NAMES = 4
const MIN_NAME_WIDTH = 28
const MIN_TEXT_WIDTH = 30

/**
 * A table of faults, causes and cures, at most `width` characters wide. If the columns would break words, cause and cure are
 * stacked. `title`: heading of the column `at`.
 */
export function adviceTable(advice: readonly Advice[], title: string, width: number): string {
  const rows = advice.map(({ servers, at, cause, cure }) => ({
    servers: servers.map(oneLine),
    texts: [at, cause, cure].map(oneLine) as [string, string, string],
  }))
  const wanted = (column: 1 | 2) =>
    Math.max(MIN_TEXT_WIDTH, ...rows.map(({ texts }) => longestWord(texts[column])))
  const columns = [
    { nameAtLeast: MIN_NAME_WIDTH },
    {},
    { textAtLeast: wanted(1) },
    { textAtLeast: wanted(2) },
  ]
  const cells = rows.map(({ servers, texts }) => [stackedNames(servers), ...texts])
  const text = fittedTable([['server', title, 'cause', 'cure'], ...cells], columns, width)
  return text.split('\n').every((line) => widthOf(line) <= width) ? text : stacked(rows, width)
}

const longestWord = (text: string) => Math.max(...wordsOf(text).map(widthOf))

function stackedNames(servers: readonly string[]): string {
  const [shown, more] = firstOf(servers, MAX_NAMES)
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}

function stacked(
  rows: readonly { servers: readonly string[]; texts: readonly [string, string, string] }[],
  columns: number,
): string {
  const width = Math.max(MIN_TEXT_WIDTH, columns)
  return rows
    .map(({ servers, texts: [at, cause, cure] }) => {
      const names = servers.map((name) => shorten(name, Math.floor(width * 0.7)))
      const head = wrap(`${nameSome(names, MAX_NAMES)}: ${at}`, width).join('\n')
      const texts = [
        ['  cause', cause],
        ['  cure', cure],
      ] as const
      const body = texts.flatMap(([name, text]) =>
        text === '' ? [] : [[name, wrap(text, width - 9).join('\n')]],
      )
      return `${head}\n${table(body)}`
    })
    .join('\n')
}
