import type { PieceArrival } from '../../protocol/packed-pieces.ts'

/** What is known of one server's share in a transfer. Seconds since the transfer began, on the deploy host's clock. */
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
  /** By how much times of its clock may be wrong here. */
  clockErrorS: number
  /** From whom its pieces came, by the servers' names or `seeder`. */
  pieces: readonly PieceArrival[]
  /** By how much the times in `pieces` may be wrong, its clock aside. */
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
  afterGap: number
  sentAgain: number
}
