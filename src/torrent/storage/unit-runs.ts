import { UNIT_BYTES } from '../scheduler/request-window.ts'

/** The runs of marked units, as byte ranges of a piece of this length. */
export function* unitRuns(units: Uint8Array, length: number): Generator<{ offset: number; end: number }> {
  for (let first = 0; first < units.length; first++) {
    if (units[first] === 0) continue
    let next = first + 1
    while (next < units.length && units[next] !== 0) next++
    yield { offset: first * UNIT_BYTES, end: Math.min(length, next * UNIT_BYTES) }
    first = next
  }
}
