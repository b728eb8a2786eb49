import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** The source of a piece and its time, in seconds on the receiver's clock. */
export interface PieceArrival {
  piece: number
  /** `seeder`, `host:port` of a peer, or its host. */
  source: string
  atS: number
}

/** When the transfer began and ended there, and which pieces are reported: 0, `every`, 2 × `every` … */
export interface PieceFrame {
  beganS: number
  endedS: number
  every: number
  pieceCount: number
}

/** A record is never longer, in bytes before base64. */
const MAX_PACKED_BYTES = 1024
/** How many pairs of source and time a byte distinguishes. With few, 1,000 pieces in any order leave room for the names. */
const VALUES = 96
/** Pieces of the other sources, those that sent fewest, are left out. */
const MAX_SOURCES = 24
const MAX_SOURCE_CHARACTERS = 100
const MAX_PACKED_CHARACTERS = Math.ceil(MAX_PACKED_BYTES / 3) * 4
const MAX_BYTES = 16_384
const MAX_PIECES = 1024

/**
 * Pieces as deflated bytes in base64: the names of the sources, one a line, an empty line, and a byte for each piece: 0 when it
 * did not come, else 1 + source × slots + slot, where the time of the transfer is cut into as many slots as fit. Names that
 * have nothing in common, such as IPv6 addresses of many networks, are too long together: then fewer sources are told.
 */
export function packPieces(arrivals: Iterable<PieceArrival>, frame: PieceFrame): string {
  const all = [...arrivals]
  const counts = new Map<string, number>()
  for (const { source } of all) counts.set(source, (counts.get(source) ?? 0) + 1)
  const sources = [...counts].sort(([, one], [, other]) => other - one).map(([source]) => source)
  let named = sources.slice(0, MAX_SOURCES)
  for (;;) {
    const packed = deflateRawSync(recordOf(all, named, frame))
    if (packed.length <= MAX_PACKED_BYTES || named.length === 0) return packed.toString('base64')
    named = named.slice(0, -1)
  }
}

function recordOf(arrivals: readonly PieceArrival[], named: readonly string[], frame: PieceFrame): Buffer {
  const slots = slotsOf(named.length)
  const { beganS, endedS, every } = frame
  const bytes = Buffer.alloc(countOf(frame))
  for (const { piece, source, atS } of arrivals) {
    const number = named.indexOf(source)
    const share = endedS > beganS ? (atS - beganS) / (endedS - beganS) : 0
    const slot = Math.min(slots - 1, Math.max(0, Math.floor(share * slots)))
    if (number >= 0) bytes[piece / every] = 1 + number * slots + slot
  }
  return Buffer.concat([Buffer.from(`${named.join('\n')}\n\n`), bytes])
}

/** Undefined for malformed data, because it comes from a server. Times are the middles of their slots. */
export function unpackPieces(packed: unknown, frame: PieceFrame): PieceArrival[] | undefined {
  if (typeof packed !== 'string' || packed.length > MAX_PACKED_CHARACTERS) return undefined
  const count = countOf(frame)
  if (!(count > 0 && count <= MAX_PIECES && Number.isInteger(frame.every))) return undefined
  const content = inflate(packed)
  const end = content?.indexOf('\n\n') ?? -1
  if (!content || end < 0 || content.length !== end + 2 + count) return undefined
  const sources = end === 0 ? [] : content.toString('utf8', 0, end).split('\n')
  if (sources.length > MAX_SOURCES || sources.some(({ length }) => length > MAX_SOURCE_CHARACTERS))
    return undefined
  const slots = slotsOf(sources.length)
  const slotS = (frame.endedS - frame.beganS) / slots
  const arrivals: PieceArrival[] = []
  for (const [place, value] of content.subarray(end + 2).entries()) {
    const source = sources[Math.floor((value - 1) / slots)]
    if (value === 0 || source === undefined) continue
    const atS = frame.beganS + (((value - 1) % slots) + 0.5) * slotS
    arrivals.push({ piece: place * frame.every, source, atS })
  }
  return arrivals
}

/** The largest error of a packed time. */
export const slotErrorS = ({ beganS, endedS }: PieceFrame, sources: number): number =>
  (endedS - beganS) / slotsOf(sources) / 2

const slotsOf = (sources: number) => Math.floor(VALUES / Math.max(1, Math.min(sources, MAX_SOURCES)))

const countOf = ({ pieceCount, every }: PieceFrame) => Math.ceil(pieceCount / every)

function inflate(packed: string): Buffer | undefined {
  try {
    return inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_BYTES })
  } catch {
    return undefined
  }
}
