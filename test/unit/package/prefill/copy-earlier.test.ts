import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { copyEarlier } from '../../../../src/package/prefill/copy-earlier.ts'
import { plant, temporary } from '../trees.ts'

const files = [
  { path: ['same'], length: 4 },
  { path: ['longer'], length: 9 },
  { path: ['deep', 'er', 'file'], length: 4 },
  { path: ['away', 'secret'], length: 6 },
  { path: ['link'], length: 4 },
  { path: ['gone'], length: 4 },
]

it('copies files of the same path and size, nothing from outside, and no second names', async () => {
  const place = temporary()
  const outside = plant(join(place, 'outside'), { secret: 'secret' })
  const from = plant(join(place, 'from'), {
    same: 'same',
    longer: 'long',
    'deep/er/file': 'file',
    other: 'other',
  })
  symlinkSync(outside, join(from, 'away'))
  symlinkSync('same', join(from, 'link'))
  const into = join(place, 'into')
  expect(await copyEarlier({ from, into, files })).toBe(8)
  expect(readdirSync(into, { recursive: true }).sort()).toEqual(['deep', 'deep/er', 'deep/er/file', 'same'])
  expect(readFileSync(join(into, 'same'), 'utf8')).toBe('same')
  expect(statSync(join(into, 'same')).nlink).toBe(1)
})

it('leaves nothing when it is interrupted', async () => {
  const place = temporary()
  const from = plant(join(place, 'from'), { same: 'same' })
  const into = join(place, 'into')
  await expect(copyEarlier({ from, into, files, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'INTERRUPTED',
  })
  expect(existsSync(into)).toBe(false)
})
