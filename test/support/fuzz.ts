/** Numbers below `bound`, always the same ones for a seed (mulberry32). */
export type Random = (bound: number) => number

export function numbers(seed: number): Random {
  let state = seed
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

/** Seconds that each fuzz test goes on for, with seeds of its own; without it, the same few rounds each time. */
const budget = Number(process.env.MURDER_FUZZ_SECONDS ?? 0)

/** Runs `round` with one seed after the other; a failure names its seed. */
export async function fuzz(
  rounds: number,
  round: (next: Random, seed: number) => void | Promise<void>,
): Promise<void> {
  const first = budget > 0 ? Date.now() % 1_000_000_000 : 0
  const end = performance.now() + budget * 1000
  for (let seed = first; budget > 0 ? performance.now() < end : seed < rounds; seed++) {
    try {
      await round(numbers(seed), seed)
    } catch (error) {
      throw new Error(`with seed ${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    }
  }
}

/** The bytes with some of them changed, left out, doubled or cut off. */
export function mutate(bytes: Uint8Array, next: Random): Buffer {
  let mutated = Buffer.from(bytes)
  for (let changes = 1 + next(4); changes > 0 && mutated.length > 0; changes--) {
    const at = next(mutated.length)
    const length = 1 + next(8)
    const parts = [
      [mutated.subarray(0, at), mutated.subarray(at + length)],
      [mutated.subarray(0, at + length), mutated.subarray(at)],
      [mutated.subarray(0, at), noise(length, next), mutated.subarray(at)],
      [
        mutated.subarray(0, at),
        Buffer.from(['i', 'l', 'd', 'e', '-', '9'][next(6)] as string),
        mutated.subarray(at + 1),
      ],
      [mutated.subarray(0, at)],
    ][next(20) === 0 ? 4 : next(4)] as Buffer[]
    mutated = Buffer.concat(parts)
  }
  return mutated
}

export function noise(length: number, next: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => next(256)))
}
