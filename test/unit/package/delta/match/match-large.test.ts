import { expect, it } from 'vitest'
import type { OperationSink } from '../../../../../src/package/delta/format/operation-sink.ts'
import { type ByteSource, bufferSource } from '../../../../../src/package/delta/match/byte-source.ts'
import { matchLarge } from '../../../../../src/package/delta/match/match-large.ts'
import { Scratch } from '../../../../../src/package/delta/match/scratch.ts'
import { fuzz, noise } from '../../../../support/fuzz.ts'

/** The simple reference: does at once what it is told. */
class Made implements OperationSink {
  bytes: Buffer = Buffer.alloc(0)
  literals = 0
  readonly #old: Buffer

  constructor(old: Buffer) {
    this.#old = old
  }

  literal(bytes: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, bytes])
    this.literals += bytes.length
  }

  copy(file: number, offset: number, length: number, differences: readonly number[] = []): void {
    expect(file).toBe(7)
    const part = Buffer.from(this.#old.subarray(offset, offset + length))
    expect(part.length).toBe(length)
    let at = 0
    for (let i = 0; i < differences.length; i += 2) {
      at += differences[i] as number
      part[at] = (part[at] as number) + (differences[i + 1] as number)
      at++
    }
    this.bytes = Buffer.concat([this.bytes, part])
  }
}

function make(old: Buffer, next: Buffer, content: ByteSource = bufferSource(old)): Made {
  const made = new Made(old)
  const earlier = [{ file: 7, content, blocks: () => undefined }]
  for (const _ of matchLarge({ source: bufferSource(next), earlier, writer: made, scratch: new Scratch() }));
  return made
}

it('makes a large file of an earlier one, and brings hardly more than is new', async () => {
  await fuzz(20, (next) => {
    const old = noise(150_000, next)
    const at = next(old.length - 5000)
    const moved = next(old.length - 80_000)
    const added = noise(1 + next(5000), next)
    const changed = Buffer.concat([
      old.subarray(0, at),
      added,
      old.subarray(at + next(2) * added.length),
      old.subarray(moved, moved + 70_000 + next(9000)),
    ])
    const made = make(old, changed)
    expect(made.bytes.equals(changed)).toBe(true)
    expect(made.literals).toBeLessThan(added.length + 100)
  })
})

it('makes the right bytes when the content at hand is none that the blocks are of', () => {
  const old = noise(100_000, (bound) => (Math.random() * bound) | 0)
  const other = noise(100_000, (bound) => (Math.random() * bound) | 0)
  const made = make(other, old, bufferSource(other))
  expect(made.bytes.equals(old)).toBe(true)
})
