import { bytes, cut, duration, percent, rate } from '../../text/format.ts'

/** One peer's progress: bytes, bytes a second, seconds. */
export interface PeerProgress {
  bytes: number
  total: number
  down: number
  up: number
  peers: number
  /** Undefined when there is no telling. */
  eta?: number | undefined
}

/** The line that an agent shows: for a terminal of `columns`, never longer. No dependencies: the agent is small. */
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
