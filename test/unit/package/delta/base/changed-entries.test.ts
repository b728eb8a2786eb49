import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ChangedEntry, changedEntries } from '../../../../../src/package/delta/base/changed-entries.ts'
import { manifestOfDirectory } from '../../../../../src/package/delta/base/manifest-of-directory.ts'
import type { Manifest } from '../../../../../src/package/delta/format/manifest.ts'
import { scan } from '../../../../../src/package/pack/scan.ts'

let root: string
let manifest: Manifest

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'changed-'))
  mkdirSync(join(root, 'config'))
  writeFileSync(join(root, 'config/app.json'), '{"a":1}')
  writeFileSync(join(root, 'empty'), '')
  symlinkSync('config/app.json', join(root, 'link'))
  manifest = await manifestOfDirectory(root, scan(root))
})
afterEach(() => rmSync(root, { recursive: true }))

async function changed(): Promise<ChangedEntry[]> {
  const found: ChangedEntry[] = []
  for await (const entry of changedEntries(manifest, root)) found.push(entry)
  return found
}

const path = (name: string) => join(root, name)

test('what is added, and other modes and times, change nothing', async () => {
  writeFileSync(path('config/more'), '')
  chmodSync(path('config'), 0o700)
  chmodSync(path('config/app.json'), 0o600)
  utimesSync(path('empty'), 1, 1)
  expect(await changed()).toEqual([])
})

test.each<[string, () => void, ChangedEntry[]]>([
  ['an edited file', () => writeFileSync(path('config/app.json'), '{"a":2}'), [different('config/app.json')]],
  ['a longer file', () => writeFileSync(path('empty'), ' '), [different('empty')]],
  ['a lost file', () => rmSync(path('empty')), [missing('empty')]],
  [
    'a lost directory',
    () => rmSync(path('config'), { recursive: true }),
    [missing('config'), missing('config/app.json')],
  ],
  [
    'a file for a directory',
    () => replace('config', () => writeFileSync(path('config'), '')),
    [different('config'), missing('config/app.json')],
  ],
  ['another link', () => replace('link', () => symlinkSync('empty', path('link'))), [different('link')]],
  [
    'a file for a link',
    () => replace('link', () => writeFileSync(path('link'), '{"a":1}')),
    [different('link')],
  ],
  [
    'a link for a file',
    () => replace('empty', () => symlinkSync('/dev/null', path('empty'))),
    [different('empty')],
  ],
])('%s is found', async (_, change, found) => {
  change()
  expect(await changed()).toEqual(found)
})

function replace(name: string, by: () => void): void {
  rmSync(path(name), { recursive: true })
  by()
}

function different(path: string): ChangedEntry {
  return { path, state: 'different' }
}

function missing(path: string): ChangedEntry {
  return { path, state: 'missing' }
}
