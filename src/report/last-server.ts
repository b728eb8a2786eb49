import { duration, oneLine } from '../text/format.ts'

/** What held a server up. `unknown`: it was behind, and nothing that was measured says why. */
export type HoldUp =
  | 'start'
  | 'amount'
  | 'link'
  | 'loss'
  | 'far'
  | 'sender'
  | 'disk'
  | 'cpu'
  | 'stopped'
  | 'unpack'
  | 'unknown'

/** A server that had the release clearly later than half of the others. */
export interface LateServer {
  server: string
  /** Seconds after the median of the others. */
  behind: number
  cause: HoldUp
  /** The cause in words. */
  text: string
}

/** The last server, and the way that its last piece has come: from the server to the seeder. */
export interface LastServer extends LateServer {
  chain: PieceStep[]
}

/** When a server had the piece: seconds since the transfer began on the deploy host's clock, and by how much that may be wrong. */
export interface PieceStep {
  server: string
  at: number
  error: number
}

/** `web7, 3.1 s after the median: its downlink carried 24 Mbit/s, others 50` */
export const lastText = ({ server, behind, text }: LateServer): string =>
  oneLine(`${server}, ${duration(behind)} after the median: ${text}`)
