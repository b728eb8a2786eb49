import { lastText } from '../../report/last-server.ts'
import { bytes, cut, duration, oneLine } from '../../text/format.ts'
import type { RunReport } from './run-report.ts'

/** GitHub would cut off more, or nobody would read it. */
const MAX_ROWS = 50
const MAX_CELL_CHARACTERS = 500
/** Of a cause, and of its cure: a long cause leaves room for what to do. */
const MAX_TEXT_CHARACTERS = 240
const CURVE_POINTS = 20
/** GitHub shows at most ten of a kind for each step of a job. */
const MAX_ANNOTATIONS = 10

/**
 * The report in Markdown as GitHub shows it in a job's summary. Markup in texts from servers is escaped. The completion curve is
 * a Mermaid chart: images in data URIs are not shown. Source: docs.github.com, "Workflow commands for GitHub Actions", "Adding a
 * job summary".
 */
export function ciSummary(report: RunReport): string {
  const { environment, release, error, servers, size, seconds, last } = report
  const outcome =
    error === null ? (report.published ? 'published' : report.staged ? 'staged' : 'done') : 'failed'
  const count = (isOne: (server: RunReport['servers'][number]) => boolean) =>
    `${servers.filter(isOne).length} of ${servers.length}`
  const rows = [
    ['outcome', error === null ? outcome : `${outcome}: ${error}`],
    ['servers', `${count((server) => server.outcome === 'done')} done`],
    ...(release === null ? [] : [['live on', count(({ published }) => published)]]),
    ['size', bytes(size)],
    ['time', duration(seconds)],
    ...Object.entries(report.phases).map(([phase, spent]) => [phase, duration(spent)]),
    ['seeder sent', bytes(report.seederUploaded)],
    ...(last ? [['last', lastText(last)]] : []),
  ]
  return [
    `### ${cell(environment)}: ${release === null ? 'no release' : `release ${cell(release)}`}`,
    markdownTable([['', ''], ...rows]),
    curve(report),
    serverRows(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

function serverRows({ servers }: RunReport): string {
  if (servers.length === 0) return ''
  const rank = { failed: 0, unfinished: 1, done: 2 }
  const sorted = [...servers].sort(
    (a, b) => rank[a.outcome] - rank[b.outcome] || endOf(b.steps) - endOf(a.steps),
  )
  const rows = sorted
    .slice(0, MAX_ROWS)
    .map(({ server, outcome, steps, received, sent, failure }) => [
      server,
      outcome,
      duration(endOf(steps)),
      bytes(received),
      bytes(sent),
      failure ? advice(`${failure.step}: ${failure.cause}`, failure.cure) : '',
    ])
  const more = servers.length > rows.length ? `\n\n… and ${servers.length - rows.length} more servers` : ''
  return markdownTable([['server', 'outcome', 'time', 'received', 'sent', 'failure'], ...rows]) + more
}

/** How many servers had the release after how many seconds. */
function curve({ servers }: RunReport): string {
  const ends = servers.flatMap(({ outcome, steps }) => (outcome === 'done' ? [endOf(steps)] : []))
  const last = Math.max(0, ...ends)
  if (ends.length < 2 || last === 0) return ''
  const points = Array.from({ length: CURVE_POINTS + 1 }, (_, at) => {
    const until = (last * at) / CURVE_POINTS
    return ends.filter((end) => end <= until + 1e-9).length
  })
  return [
    '```mermaid',
    'xychart-beta',
    '  title "Servers that have the release"',
    `  x-axis "seconds" 0 --> ${Math.ceil(last * 10) / 10}`,
    `  y-axis "servers" 0 --> ${servers.length}`,
    `  line [${points.join(', ')}]`,
    '```',
  ].join('\n')
}

/** Seconds from the beginning until a server had the release. */
const endOf = ({ publish: _, ...steps }: RunReport['servers'][number]['steps']): number =>
  Object.values(steps).reduce((sum, seconds) => sum + seconds, 0)

/** Lines that GitHub shows as errors beside the job: one for each failed server. */
export function annotations({ servers }: RunReport): string {
  const failed = servers.flatMap(({ server, failure }) => (failure ? [{ server, ...failure }] : []))
  return failed
    .slice(0, MAX_ANNOTATIONS)
    .map(({ server, step, cause, cure }) => {
      const title = limited(`${server}: ${step}`, MAX_TEXT_CHARACTERS)
      return `::error title=${property(title)}::${escaped(advice(cause, cure))}\n`
    })
    .join('')
}

const escaped = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string) => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

function markdownTable([head = [], ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head.map(cell)), line(head.map(() => '---')), ...rows.map((row) => line(row.map(cell)))].join(
    '\n',
  )
}

/** What is wrong, and what to do. */
const advice = (cause: string, cure: string | undefined) =>
  [cause, ...(cure ? [cure] : [])].map((part) => limited(part, MAX_TEXT_CHARACTERS)).join(' — ')

const limited = (text: string, most: number) => cut(oneLine(text), most)

/** Text for a table: no markup, no line break, not long. */
const cell = (text: string): string =>
  limited(text, MAX_CELL_CHARACTERS)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_|[\]!@#~]/g, '\\$&')
