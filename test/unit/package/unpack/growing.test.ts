import { randomBytes } from 'node:crypto'
import { closeSync, copyFileSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pack } from '../../../../src/package/pack/pack.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { unpack } from '../../../../src/package/unpack/unpack.ts'
import type { Compression } from '../../../../src/protocol/order.ts'
import { plant, survey, temporary } from '../trees.ts'

/** A package that is there in full length, and comes into place from its start by `step` bytes at every question. */
async function growing(compression: Compression, step: number) {
  const place = plant(temporary(), {
    'release/a/small': 'x',
    'release/large': randomBytes(100_000).toString('hex'),
    'release/z': '',
  })
  const release = join(place, 'release')
  const whole = join(place, 'whole')
  const { sha256, length } = await pack({
    ...{ root: release, entries: scan(release), output: whole, compression, pieceLength: 65_536 },
  })
  const content = readFileSync(whole)
  const file = join(place, 'package')
  copyFileSync(whole, file)
  truncateSync(file, 0)
  truncateSync(file, length)
  let here = 0
  const beyond = async (position: number) => {
    await new Promise(setImmediate)
    const fd = openSync(file, 'r+')
    for (; here <= position; here += step)
      writeSync(fd, content.subarray(here, here + step), 0, undefined, here)
    closeSync(fd)
    return Math.min(here, length)
  }
  return { release, into: join(place, 'into'), options: { file, compression, sha256, beyond } }
}

describe.each<Compression>(['none', 'brotli', 'gzip'])(
  'a package (%s) that is still being fetched',
  (compression) => {
    it.each([100, 1000, 70_000])('is unpacked while it arrives, %i bytes at a time', async (step) => {
      const { release, into, options } = await growing(compression, step * (compression === 'none' ? 10 : 1))
      expect(await unpack({ ...options, into })).toMatchObject({ files: 3 })
      expect(survey(into)).toEqual(survey(release))
    })

    it('gets its final name only when all of it is right', async () => {
      const { into, options } = await growing(compression, 5000)
      const beyond = async (position: number) => {
        expect(existsSync(into)).toBe(false)
        return options.beyond(position)
      }
      await expect(unpack({ ...options, into, beyond, sha256: 'ab'.repeat(32) })).rejects.toMatchObject({
        code: 'PACKAGE_WRONG',
      })
      expect(existsSync(into)).toBe(false)
    })

    it('leaves nothing when it stops to come', async () => {
      const { into, options } = await growing(compression, 1000)
      let asked = 0
      const beyond = (position: number) => {
        asked += 1
        return asked < 3 ? options.beyond(position) : Promise.reject(new Error('nobody has it'))
      }
      await expect(unpack({ ...options, into, beyond })).rejects.toMatchObject({ code: 'PACKAGE_DAMAGED' })
      expect(existsSync(into)).toBe(false)
    })
  },
)
