import { shorten, widthOf } from './format.ts'
import { table, wrap } from './table.ts'

const GAP = 2

/** How a column shrinks when its table is too wide. Without any of these it stays as it is. */
export interface Column {
  /** It is left out, before columns with lower numbers. */
  dispensable?: number
  /** It holds names, which are shortened in their middle to no fewer characters. */
  nameAtLeast?: number
  /** It holds sentences, which are wrapped to no fewer characters. */
  textAtLeast?: number
}

/** Rows including the header, in at most `width` characters. Lines stay longer only if fixed columns are too wide. */
export function fittedTable(
  rows: readonly (readonly string[])[],
  columns: readonly Column[],
  width: number,
): string {
  const natural = columns.map((_, column) =>
    Math.max(0, ...rows.flatMap((row) => (row[column] ?? '').split('\n').map(widthOf))),
  )
  const least = columns.map(({ nameAtLeast, textAtLeast }, column) =>
    Math.min(natural[column] ?? 0, nameAtLeast ?? textAtLeast ?? Number.POSITIVE_INFINITY),
  )
  const kept = keptColumns(columns, least, width)
  const widths = share(
    kept.map((column) => natural[column] ?? 0),
    kept.map((column) => least[column] ?? 0),
    width - GAP * (kept.length - 1),
  )
  return table(
    rows.map((row) =>
      kept.map((column, at) => giveWay(row[column] ?? '', columns[column] ?? {}, widths[at] ?? 0)),
    ),
  )
}

/** The columns that remain: others are left out if the table is too wide even at the least widths. */
function keptColumns(columns: readonly Column[], least: readonly number[], width: number): number[] {
  const kept = columns.map((_, column) => column)
  const rank = (column: number) => columns[column]?.dispensable ?? 0
  const taken = () => kept.reduce((sum, column) => sum + (least[column] ?? 0) + GAP, -GAP)
  while (taken() > width) {
    const last = kept.reduce((most, column) => (rank(column) > rank(most) ? column : most), kept[0] ?? 0)
    if (rank(last) === 0) break
    kept.splice(kept.indexOf(last), 1)
  }
  return kept
}

/** Gives each column its natural width if there is room, else takes the missing space from the widest. */
function share(natural: readonly number[], least: readonly number[], room: number): number[] {
  const widths = [...natural]
  let missing = widths.reduce((sum, width) => sum + width, 0) - room
  while (missing > 0) {
    const spare = (at: number) => (widths[at] ?? 0) > (least[at] ?? 0)
    const able = widths.map((_, at) => at).filter(spare)
    if (able.length === 0) break
    const widest = able.reduce((most, at) => ((widths[at] ?? 0) > (widths[most] ?? 0) ? at : most))
    widths[widest] = (widths[widest] ?? 0) - 1
    missing -= 1
  }
  return widths
}

function giveWay(cell: string, { nameAtLeast, textAtLeast }: Column, width: number): string {
  const lines = cell.split('\n')
  if (nameAtLeast !== undefined) return lines.map((line) => shorten(line, width)).join('\n')
  if (textAtLeast !== undefined) return lines.flatMap((line) => wrap(line, width)).join('\n')
  return cell
}
