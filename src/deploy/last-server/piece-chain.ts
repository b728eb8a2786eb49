import type { PieceStep } from '../../report/last-server.ts'
import type { ServerTransfer } from './server-transfer.ts'

/** A piece passes few servers. A longer chain was made up. */
const MAX_STEPS = 32
const SEEDER = 'seeder'

/**
 * The path of a server's last piece, backwards: when that server got it, when its source got it, and so on to the seeder, or to a
 * server that reports nothing about it.
 */
export function pieceChain(last: ServerTransfer, facts: readonly ServerTransfer[]): PieceStep[] {
  const byName = new Map(facts.map((each) => [each.server, each]))
  const chain: PieceStep[] = []
  const piece = last.lastPiece?.piece
  let at: ServerTransfer | undefined = last
  while (at && chain.length < MAX_STEPS && !chain.some(({ server }) => server === at?.server)) {
    const exact: ServerTransfer['lastPiece'] = at.lastPiece?.piece === piece ? at.lastPiece : undefined
    const arrival: ServerTransfer['lastPiece'] = exact ?? at.pieces.find((each) => each.piece === piece)
    if (!arrival) return chain
    const error = at.clockErrorS + (exact ? 0 : at.pieceErrorS)
    chain.push({ server: at.server, at: thousandths(arrival.atS), error: thousandths(error) })
    if (arrival.source === SEEDER) return [...chain, { server: SEEDER, at: 0, error: 0 }]
    at = byName.get(arrival.source)
  }
  return chain
}

const thousandths = (value: number) => Math.round(value * 1000) / 1000
