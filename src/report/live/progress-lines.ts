import { bytes, cut, duration, oneLine, percent, rate, shorten, widthOf } from '../../text/format.ts'
import { table } from '../../text/table.ts'
import { type Paint, paint } from '../output.ts'
import type { SlowServer, Summary } from './fleet-progress.ts'

/** A part of the swarm's line. On a narrow terminal the part with the highest number is left out first. */
interface Part {
  text: string
  dispensable: number
  colour?: (text: string) => string
}

const GAP = '  '
const barWidth = { least: 10, most: 30 }

/** The progress display of a terminal: at most four lines, none longer than `columns`. */
export function terminalLines(summary: Summary, columns: number, colour = false): string[] {
  // Some terminals wrap when the last column is written.
  const width = Math.max(1, columns - 1)
  return [swarmLine(summary, width, paint(colour)), ...serverLines(summary.slowest, width)]
}

function swarmLine(summary: Summary, width: number, paint: Paint): string {
  const { total, servers, done, failed } = summary
  const parts: Part[] = [{ text: stepText(summary).padEnd(8), dispensable: 0 }]
  if (total > 0) {
    parts.push({ text: percent(summary.bytes, total).padStart(4), dispensable: 1 })
    parts.push({ text: `${bytes(summary.bytes)} of ${bytes(total)}`, dispensable: 5 })
    if (hasRate(summary)) parts.push({ text: rate(summary.rate), dispensable: 4 })
    if (summary.eta !== undefined && summary.bytes < total)
      parts.push({ text: `ETA ${duration(Math.ceil(summary.eta))}`, dispensable: 3 })
  }
  parts.push({ text: `${done}/${servers} done`, dispensable: 2 })
  if (failed > 0) parts.push({ text: `${failed} failed`, dispensable: 2, colour: paint.bad })
  if (summary.seederUploaded > 0)
    parts.push({ text: `seeder sent ${bytes(summary.seederUploaded)}`, dispensable: 6 })

  const used = () => parts.reduce((sum, part) => sum + widthOf(part.text) + GAP.length, -GAP.length)
  while (used() > width && parts.length > 1)
    parts.splice(
      parts.findLastIndex((part) => part.dispensable === mostDispensable(parts)),
      1,
    )
  const room = width - used() - GAP.length
  if (total > 0 && room >= barWidth.least)
    parts.splice(2, 0, {
      text: bar(summary.bytes / total, Math.min(barWidth.most, room)),
      dispensable: 0,
      colour: paint.good,
    })
  if (parts.length === 1) return cut(parts[0]?.text ?? '', width)
  return parts.map(({ text, colour }) => (colour ? colour(text) : text)).join(GAP)
}

/** Where one has failed not all is done, though nothing is left to do. */
const stepText = ({ step, failed }: Summary): string => (step === 'done' && failed > 0 ? 'ended' : step)

/** A transfer shows its rate even when it stands still. Other steps do not use the network and have no rate then. */
const hasRate = ({ step, rate }: Summary) => rate > 0 || step === 'transfer'

const mostDispensable = (parts: Part[]) => Math.max(...parts.map((part) => part.dispensable))

/** `[####----]`, `width` characters in all. */
function bar(part: number, width: number): string {
  const inner = width - 2
  const full = Math.floor(inner * Math.min(1, Math.max(0, part)))
  return `[${'#'.repeat(full)}${'-'.repeat(inner - full)}]`
}

function serverLines(slow: SlowServer[], width: number): string[] {
  const name = Math.max(8, Math.floor(width * 0.4))
  const rows = slow.map((state) => [
    `  ${shorten(oneLine(state.server), name)}`,
    state.phase,
    state.total > 0 ? percent(state.bytes, state.total).padStart(4) : '',
    state.rate > 0 ? rate(state.rate) : '',
  ])
  const lines = rows.length === 0 ? [] : table(rows).split('\n')
  return lines.map((line) => cut(line, width))
}

/** The same in one line of a log. */
export function plainLine(summary: Summary): string {
  const { total, servers, done, failed } = summary
  const [slow] = summary.slowest
  const parts = [
    ...(total > 0 ? [`${bytes(summary.bytes)} of ${bytes(total)}`] : []),
    ...(total > 0 && hasRate(summary) ? [rate(summary.rate)] : []),
    ...(total > 0 && summary.eta ? [`ETA ${duration(Math.ceil(summary.eta))}`] : []),
    `${done}/${servers} servers done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(slow && slow.total > 0 ? [`slowest ${oneLine(slow.server)} ${percent(slow.bytes, slow.total)}`] : []),
  ]
  return `${stepText(summary)}${total > 0 ? ` ${percent(summary.bytes, total)}` : ''}: ${parts.join(', ')}`
}
