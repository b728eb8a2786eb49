import { duration, oneLine } from '../text/format.ts'

/** What made a server late. `unknown`: the measurements do not explain it. */
export type Bottleneck =
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

/** A server that got the release clearly later than half of the others. */
export interface LateServer {
  server: string
  /** Seconds after the median of the others. */
  behind: number
  cause: Bottleneck
  /** The cause in words. */
  text: string
}

/** The last server, and the path of its last piece: from the server back to the seeder. */
export interface LastServer extends LateServer {
  chain: PieceStep[]
}

/** When a server had the piece: seconds since the transfer began, on the deploy host's clock, and the largest error of that. */
export interface PieceStep {
  server: string
  at: number
  error: number
}

/** `web7, 3.1 s after the median: its downlink carried 24 Mbit/s, others 50` */
export const lastText = ({ server, behind, text }: LateServer): string =>
  oneLine(`${server}, ${duration(behind)} after the median: ${text}`)
