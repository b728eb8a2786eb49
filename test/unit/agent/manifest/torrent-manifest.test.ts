import { chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readAttributes } from '../../../../src/agent/manifest/make-manifest.ts'
import { embeddedManifest, finishDirectory } from '../../../../src/agent/manifest/torrent-manifest.ts'
import type { ContentJob } from '../../../../src/agent/runs/job.ts'
import { decodeTorrent } from '../../../../src/agent/runs/job.ts'
import { createTorrent } from '../../../../src/torrent/metainfo/create.ts'
import { asNobody, canBeNobody, NOBODY } from '../../../support/as-nobody.ts'
import { plant, temporary } from '../../package/trees.ts'

it.skipIf(!canBeNobody)('has set the attributes before it fails for what it cannot remove', async () => {
  const place = temporary()
  const source = plant(join(place, 'source'), { file: { content: 'x', mode: 0o640 } })
  const { signal } = new AbortController()
  const attributes = await readAttributes(source, [], signal)
  const torrent = await createTorrent({ source, trackers: [], private: true, signal, ...attributes })
  const path = plant(join(place, 'copy'), { file: { content: 'x', mode: 0o600 }, held: { content: '' } })
  mkdirSync(join(path, 'kept'))
  writeFileSync(join(path, 'kept', 'of root'), '')
  for (const own of [place, path, join(path, 'file')]) chownSync(own, NOBODY, NOBODY)
  const job = { path, torrent: decodeTorrent(torrent), deletesOthers: true, attributes: true } as ContentJob
  writeFileSync(join(path, '.murder.mtree'), embeddedManifest(job.torrent.metainfo))
  chownSync(join(path, '.murder.mtree'), NOBODY, NOBODY)
  await expect(asNobody(() => finishDirectory(job, () => {}))).rejects.toMatchObject({
    code: 'NOT_REMOVED',
    message: expect.stringContaining(join(path, 'kept', 'of root')),
  })
  expect(readdirSync(path).sort()).toEqual(['.murder.mtree', 'file', 'kept'])
  expect(statSync(join(path, 'file')).mode & 0o777).toBe(0o640)
})
