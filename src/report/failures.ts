import { explain, MurderError } from '../errors.ts'
import { defined } from '../system/defined.ts'
import { cut, oneLine, widthOf } from '../text/format.ts'
import { table, wrap } from '../text/table.ts'

/** Why a server is not done. */
export interface Failure {
  server: string
  /** Where it failed: check, upload, transfer, unpack, publish … */
  step: string
  /** What happened, one sentence. */
  cause: string
  /** What to do, if that is known. */
  cure?: string
}

/** `error` as a failure of `server`. The error's own server and step take precedence. */
export function failureOf(server: string, error: unknown, step: string): Failure {
  if (!(error instanceof MurderError)) return { server, step, cause: explain(error) }
  return {
    server: error.server ?? server,
    step: error.step ?? step,
    cause: error.message,
    ...defined({ cure: error.cure }),
  }
}

const MIN_CAUSE_WIDTH = 20

/** The table of failures: server, step, cause, cure. Long text is wrapped; where `columns` are few, cause and cure are stacked. */
export function failureTable(failures: readonly Failure[], columns = 100): string {
  const rows = failures.map(({ server, step, cause, cure = '' }) => [server, step, cause, cure].map(oneLine))
  const header = ['server', 'step', 'cause', 'cure']
  const natural = header.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  ) as [number, number, number, number]
  const [server, step, cause, cure] = natural
  const room = columns - server - step - 3 * 2
  if (room < 2 * MIN_CAUSE_WIDTH) return stacked(rows, columns)
  const causeWidth =
    cause + cure <= room ? cause : Math.min(cause, Math.max(room - cure, Math.floor(room / 2)))
  const widths = [server, step, causeWidth, Math.min(cure, room - causeWidth)]
  return table(
    [header, ...rows].map((row) => row.map((cell, column) => wrap(cell, widths[column] ?? 1).join('\n'))),
  )
}

function stacked(rows: string[][], columns: number): string {
  const width = Math.max(MIN_CAUSE_WIDTH, columns - 9)
  return rows
    .map(([server = '', step = '', cause = '', cure = '']) => {
      const texts = [wrap(cause, width), ...(cure === '' ? [] : [wrap(cure, width)])]
      const body = texts.map((lines, index) => [index === 0 ? '  cause' : '  cure', lines.join('\n')])
      return `${cut(`${server}: ${step}`, Math.max(MIN_CAUSE_WIDTH, columns))}\n${table(body)}`
    })
    .join('\n')
}
