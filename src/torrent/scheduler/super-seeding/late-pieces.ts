import type { AssignedAhead } from './assigned-ahead.ts'
import type { Copies } from './copies.ts'
import type { Receiver } from './receiver.ts'

/** At the end, a peer that takes nothing for this long counts as dead, because sending twice costs little then. */
const SILENT_AT_END_S = 0.4

/** Pieces that will leave too late, because all peers they are assigned to are slow or dead; the latest first. */
export function latePieces(
  receivers: Iterable<Receiver>,
  copies: Copies,
  ahead: AssignedAhead,
  nowS: number,
): number[] {
  const waitsS = new Map<number, number>()
  for (const receiver of receivers) {
    const isDead = receiver.isSilent(nowS, SILENT_AT_END_S)
    let bytesBefore = 0
    for (const [piece, left] of receiver.assigned) {
      bytesBefore += left
      if (copies.of(piece) > 0) continue
      const needsS = isDead ? Number.POSITIVE_INFINITY : waitS(receiver, bytesBefore, ahead.isLarge, nowS)
      waitsS.set(piece, Math.min(needsS, waitsS.get(piece) ?? Number.POSITIVE_INFINITY))
    }
  }
  const latestS = ahead.latestS(nowS)
  const late = [...waitsS].filter(([, needsS]) => needsS > latestS)
  return late.sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([piece]) => piece)
}

/**
 * How long a piece will take. In a larger swarm we use how long it has taken. There a peer gets few pieces from here, so its pace
 * says little; and all pieces under way are slow together: showing them to more peers would make each slower still.
 */
function waitS({ pace, assignedAtS }: Receiver, bytesBefore: number, isLarge: boolean, nowS: number): number {
  if (isLarge) return nowS - assignedAtS
  return pace === 0 ? 0 : bytesBefore / pace
}
