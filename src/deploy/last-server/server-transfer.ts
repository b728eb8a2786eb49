import type { PieceArrival } from '../../protocol/packed-pieces.ts'

/** What is known about one server's part in a transfer. Seconds since the transfer began, on the deploy host's clock. */
export interface ServerTransfer {
  server: string
  /** It began to fetch. */
  startedS: number
  /** Its content was complete. */
  completeS: number
  /** It had the release. */
  doneS: number
  /** Bytes that came over the network. */
  received: number
  transfer?: TransferFacts
  /** CPU time used, and waited for, from then until the release was made. */
  unpack?: { cpuS: number; queuedS: number }
  /** How wrong times of the server's clock may be here. */
  clockErrorS: number
  /** Where its pieces came from: names of servers, or `seeder`. */
  pieces: readonly PieceArrival[]
  /** How wrong the times in `pieces` may be, besides the error of the clock. */
  pieceErrorS: number
  lastPiece?: PieceArrival
}

/** Seconds of one server's transfer; rates in bytes a second; shares of TCP segments. */
export interface TransferFacts {
  cpuS: number
  queuedS: number
  diskS: number
  stoppedS: number
  peakDown: number
  peakUp: number
  /** What the disk gave while others waited for it; undefined if all that they asked for was in memory. */
  readRate?: number
  afterGap: number
  sentAgain: number
  /** Bytes that came to the machine meanwhile, those of other programs too. */
  arrived: number
}
