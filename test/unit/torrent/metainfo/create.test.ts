import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createTorrent } from '../../../../src/torrent/metainfo/create.ts'
import { parseMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'

test('hidden files, and those that programs like Explorer leave behind, are in the torrent of a directory', async () => {
  const source = await mkdtemp(join(tmpdir(), 'murder-create-'))
  onTestFinished(() => rm(source, { recursive: true }))
  const names = [
    '.DS_Store',
    '.htaccess',
    '.well-known/.keep',
    '.well-known/security.txt',
    'Thumbs.db',
    'index.html',
  ]
  for (const name of names) {
    await mkdir(dirname(join(source, name)), { recursive: true })
    await writeFile(join(source, name), 'content')
  }
  const { files } = parseMetainfo(await createTorrent({ source, trackers: [] }))
  expect(files.map(({ path }) => path.join('/')).sort()).toEqual(names)
})
