import fs, { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { applyManifest } from '../../../src/attributes/apply.ts'
import { MANIFEST } from '../../../src/attributes/entry.ts'
import { scanTree } from '../../../src/attributes/scan.ts'

vi.mock('node:fs', async (original) => {
  const own = await original<typeof import('node:fs')>()
  const linkSync = vi.fn(own.linkSync)
  return { ...own, linkSync, default: { ...own, linkSync } }
})
const root = mkdtempSync(join(tmpdir(), 'apply-'))
afterAll(() => rmSync(root, { recursive: true }))

test('where there are no hard links files stay apart, with their attributes and a warning', async () => {
  const [from, to] = [join(root, 'from'), join(root, 'to')]
  for (const directory of [from, to]) mkdirSync(directory)
  writeFileSync(join(from, 'a'), 'content')
  chmodSync(join(from, 'a'), 0o640)
  fs.linkSync(join(from, 'a'), join(from, 'b'))
  for (const name of ['a', 'b', MANIFEST]) writeFileSync(join(to, name), 'content', { mode: 0o600 })
  vi.mocked(fs.linkSync).mockImplementation(() => {
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
  })
  const { warnings } = await applyManifest(to, await scanTree(from))
  expect(warnings).toEqual([
    expect.stringMatching(/^could not set the hard link: operation not permitted \(.*b\)$/),
  ])
  expect(statSync(join(to, 'b')).mode & 0o777).toBe(0o640)
  expect(statSync(join(to, 'b')).mtimeMs).toBe(statSync(join(from, 'b')).mtimeMs)
  expect(statSync(join(to, 'b')).nlink).toBe(1)
})
