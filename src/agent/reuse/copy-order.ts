export interface Step {
  piece: number
  /** Later steps still need the bytes in its place, because pieces read each other in a circle. */
  isNeeded: boolean
}

/**
 * The order in which pieces are written when they are copied from the same files, so that no bytes are overwritten before they
 * are read (Burns and Long, In-place reconstruction of delta compressed files, 1998). `reads` has each piece to be written, and
 * the other pieces whose place it reads.
 */
export function* copyOrder(reads: ReadonlyMap<number, ReadonlySet<number>>): Generator<Step> {
  const readers = new Map([...reads.keys()].map((piece) => [piece, 0]))
  const add = (piece: number, count: number): number => {
    const sum = (readers.get(piece) ?? 0) + count
    readers.set(piece, sum)
    return sum
  }
  for (const read of reads.values()) for (const piece of read) if (reads.has(piece)) add(piece, 1)
  const left = new Set(reads.keys())
  const free = [...left].filter((piece) => readers.get(piece) === 0)
  while (left.size > 0) {
    let piece = free.pop()
    const isNeeded = piece === undefined
    piece ??= left.values().next().value as number
    if (!left.delete(piece)) continue
    yield { piece, isNeeded }
    for (const read of reads.get(piece) ?? []) if (left.has(read) && add(read, -1) === 0) free.push(read)
  }
}
