import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { removeWhatCanBe } from '../../../../src/files/directories/remove-tree.ts'
import { plant, temporary, unprivileged } from '../../package/trees.ts'

test('nothing behind a mount is removed, and all else is', (context) => {
  const root = mkdtempSync(join(tmpdir(), 'murder-remove-'))
  const at = (...names: string[]) => join(root, ...names)
  mkdirSync(at('behind'))
  writeFileSync(at('behind/theirs'), '')
  const points = [at('old/sub/deep er/mount'), at('alone')]
  for (const point of points) mkdirSync(point, { recursive: true })
  writeFileSync(at('old/sub/file'), '')
  symlinkSync(at('behind'), at('old/link'))
  onTestFinished(() => {
    for (const point of points) spawnSync('umount', [point])
    rmSync(root, { recursive: true, force: true })
  })
  try {
    for (const point of points) execFileSync('mount', ['--bind', at('behind'), point], { stdio: 'ignore' })
  } catch {
    context.skip('bind mounts are not allowed here')
  }
  const stays = [at('old'), at('alone')].flatMap(removeWhatCanBe)
  expect(stays.map(({ path, cause }) => [path, String(cause)])).toEqual(
    points.map((point) => [point, expect.stringContaining('mounted there')]),
  )
  expect(existsSync(at('behind/theirs'))).toBe(true)
  expect(readdirSync(at('old'), { recursive: true }).sort()).toEqual([
    'sub',
    'sub/deep er',
    'sub/deep er/mount',
    'sub/deep er/mount/theirs',
  ])
})

test.skipIf(process.getuid?.() !== 0)('of a file that stays the system says why', async () => {
  const root = plant(temporary(), { 'sticky/file': '', 'sticky/': { mode: 0o1777 } })
  chmodSync(root, 0o755)
  const [stays] = await unprivileged(async () => removeWhatCanBe(join(root, 'sticky')))
  expect(stays).toMatchObject({ path: join(root, 'sticky/file'), cause: { code: 'EPERM' } })
})
