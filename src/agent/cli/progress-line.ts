import type { AgentEvent } from '../../protocol/events.ts'
import { bytes, cut, duration, percent, rate } from '../../text/format.ts'

/** Between two plain lines, where there is no terminal. */
const PLAIN_MS = 5000
const CLEAR_LINE = '\r\u001b[2K'

/** One peer's progress: bytes, bytes a second, seconds. */
export interface PeerProgress {
  bytes: number
  total: number
  down: number
  up: number
  peers: number
  /** Undefined when it cannot be estimated. */
  eta?: number | undefined
}

/** The line that an agent shows: for a terminal of `columns`, never longer. */
export function renderPeerProgress(progress: PeerProgress, columns = 100): string {
  const { down, up, peers, eta } = progress
  const parts = [
    percent(progress.bytes, progress.total).padStart(4),
    `${bytes(progress.bytes)} of ${bytes(progress.total)}`,
    `down ${rate(down)}`,
    `up ${rate(up)}`,
    `${peers} ${peers === 1 ? 'peer' : 'peers'}`,
    ...(eta === undefined ? [] : [`ETA ${duration(Math.ceil(eta))}`]),
  ]
  return cut(parts.join('  '), Math.max(1, columns - 1))
}

export function progressText(at: AgentEvent & { event: 'progress' }, columns?: number): string {
  const eta = at.down > 0 && at.bytes < at.total ? (at.total - at.bytes) / at.down : undefined
  return renderPeerProgress({ ...at, eta }, columns)
}

const BAR = 30

/** `read 40% [==========>         ] 4.0 MiB of 10 MiB`; without the bar where there is no terminal. */
export function shareDone(what: string, done: number, total: number, columns?: number): string {
  const filled = total > 0 ? Math.floor((done / total) * BAR) : BAR
  const bar =
    columns === undefined
      ? ''
      : ` [${'='
          .repeat(filled)
          .concat(filled < BAR ? '>' : '')
          .padEnd(BAR)}]`
  return `${what} ${percent(done, total)}${bar} ${bytes(done)} of ${bytes(total)}`
}

/** Shows progress on stderr: one line redrawn in place on a terminal, else a line every few seconds. */
export function progressLine(stream: NodeJS.WriteStream = process.stderr) {
  let shown = false
  let printed = performance.now()
  const clear = () => {
    if (shown) stream.write(CLEAR_LINE)
    shown = false
  }
  return {
    show(text: (columns?: number) => string): void {
      if (stream.isTTY) {
        const columns = stream.columns || 80 // some terminals say 0
        stream.write(CLEAR_LINE + text(columns).slice(0, columns - 1))
        shown = true
      } else if (performance.now() - printed >= PLAIN_MS) {
        stream.write(`${text()}\n`)
        printed = performance.now()
      }
    },
    clear,
  }
}
