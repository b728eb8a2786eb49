import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MurderError } from '../../../../src/errors.ts'
import { removeTree } from '../../../../src/files/directories/remove-tree.ts'
import { type Entry, sortEntries } from '../../../../src/files/entry.ts'
import { headerOf, paddingOf } from '../../../../src/package/format/header.ts'
import { unpack } from '../../../../src/package/unpack/unpack.ts'
import { fuzz, type Random } from '../../../support/fuzz.ts'
import { plant, survey, temporary } from '../trees.ts'

const plain = ['.', 'a', 'b', 'a/b', 'a/b/c', 'é', 'l']
const wild = ['..', '../outside', '/', './', '', 'a/../b', 'l/witness', 'a/b/c/d']
const targets = ['a', '..', '../outside', '/tmp', '.', '', '../outside/witness']
const kinds = ['file', 'directory', 'symlink'] as const

/** Any entries in any order, each with any bytes of its header changed and the checksum put right. */
function archive(next: Random): Buffer {
  const pick = <T>(from: readonly T[]): T => from[next(from.length)] as T
  const parts: Buffer[] = []
  const entries = Array.from({ length: 1 + next(4) }, (): Entry => {
    const type = pick(kinds)
    const entry: Entry = {
      path: pick(next(4) ? plain : wild),
      type,
      mode: next(0o10000),
      mtime: BigInt(next(2 ** 32)),
      size: 0,
    }
    if (type === 'file') entry.size = next(1500)
    if (type === 'symlink') entry.linkname = pick(targets)
    return entry
  })
  for (const entry of next(2) ? sortEntries(entries) : entries) {
    const header = headerOf(entry)
    const block = header.subarray(next(header.length / 512) * 512).subarray(0, 512)
    for (let changes = next(4) * next(2); changes > 0; changes--)
      block[next(512)] = next(2) ? next(256) : 48 + next(8)
    if (next(4)) checksum(block)
    parts.push(header, Buffer.alloc(entry.size + paddingOf(entry.size), 'x'))
  }
  const whole = Buffer.concat([...parts, Buffer.alloc(1024)])
  return next(10) ? whole : whole.subarray(0, next(whole.length))
}

function checksum(block: Buffer): void {
  block.write('        ', 148)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
}

describe('unpacking anything', () => {
  it('ends whole or with one clear line, and touches nothing else', async () => {
    const place = plant(temporary(), { 'outside/witness': 'untouched' })
    const outside = survey(join(place, 'outside'))
    const file = join(place, 'package')
    let whole = 0
    await fuzz(200, async (next, seed) => {
      writeFileSync(file, archive(next))
      const failure = await unpack({ file, into: join(place, 'into'), compression: 'none' }).then(
        () => undefined,
        (error: unknown) => error,
      )
      const left = readdirSync(place).sort()
      if (failure === undefined) {
        whole++
        expect(left, `seed ${seed}`).toEqual(['into', 'outside', 'package'])
        removeTree(join(place, 'into'))
      } else {
        expect(failure, `seed ${seed}`).toBeInstanceOf(MurderError)
        expect((failure as Error).message, `seed ${seed}`).toMatch(/^[^\n]{1,600}$/)
        expect(left, `seed ${seed}`).toEqual(['outside', 'package'])
      }
      expect(survey(join(place, 'outside')), `seed ${seed}`).toEqual(outside)
    })
    expect(whole).toBeGreaterThan(10)
  })
})
