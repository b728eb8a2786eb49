import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { pack } from '../../../../src/package/pack/pack.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { unpack } from '../../../../src/package/unpack/unpack.ts'
import { Pair } from '../delta/delta-harness.ts'
import { plant, temporary } from '../trees.ts'

/** A file system of 1 MiB; undefined where this user cannot mount one. */
function tinyDisk(): string | undefined {
  const directory = join(temporary(), 'disk')
  mkdirSync(directory)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('umount', [directory]))
  return directory
}

describe('on a full disk', () => {
  it('packing and unpacking say so and leave nothing behind', async (context) => {
    const disk = tinyDisk()
    if (!disk) return context.skip('needs the right to mount a tmpfs')
    const root = plant(temporary(), { 'a/small': 'x', 'a/large': randomBytes(3 << 20) })
    const common = { root, entries: scan(root), pieceLength: 65536 }
    const full = {
      code: 'DISK_FULL',
      message: expect.stringContaining('no space left'),
      cure: expect.any(String),
    }

    for (const compression of ['none', 'gzip'] as const) {
      const here = await pack({ ...common, output: join(temporary(), 'p'), compression })
      expect(statSync(here.path).size).toBe(here.length)
      await expect(pack({ ...common, output: join(disk, 'p'), compression })).rejects.toMatchObject(full)
      await expect(unpack({ file: here.path, into: join(disk, 'into'), compression })).rejects.toMatchObject(
        full,
      )
    }
    expect(readdirSync(disk)).toEqual([])
  })

  it('applying a delta says so and leaves nothing behind', async (context) => {
    const disk = tinyDisk()
    if (!disk) return context.skip('needs the right to mount a tmpfs')
    const large = randomBytes(3 << 20)
    const pair = await Pair.of(temporary(), { large }, { renamed: large })
    const applying = pair.apply(await pair.delta(), pair.manifest.id, join(disk, 'into'))
    await expect(applying).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(readdirSync(disk)).toEqual([])
  })
})
