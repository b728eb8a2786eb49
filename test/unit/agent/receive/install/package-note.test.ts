import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Delivery } from '../../../../../src/agent/receive/delivery.ts'
import { installRelease } from '../../../../../src/agent/receive/install/install-release.ts'
import { hashingReader } from '../../../../../src/package/delta/base/hashing-reader.ts'
import { readRecord } from '../../../../../src/package/delta/base/record.ts'
import { pack } from '../../../../../src/package/pack/pack.ts'
import { scan } from '../../../../../src/package/pack/scan.ts'
import { plant, temporary } from '../../../package/trees.ts'

test('the note of a package names the release that the next delta is made of, whatever the order in the package', async () => {
  const root = plant(temporary(), {
    'a/logo.png': 'image',
    'a/readme': 'text',
    b: { link: 'a' },
    'c.zip': '',
  })
  const entries = scan(root)
  const { contentOf, manifest } = hashingReader(root, entries)
  const place = temporary()
  const { path, sha256 } = await pack({
    ...{
      root,
      entries,
      contentOf,
      output: join(place, 'package'),
      compression: 'brotli',
      pieceLength: 65_536,
    },
  })
  const record = join(place, 'notes', 'release')
  await installRelease(
    { job: { path }, sha256 } as Delivery,
    { into: join(place, 'releases', 'release'), compression: 'brotli', record },
    new AbortController().signal,
    { beyond: undefined, onWhole: () => {} },
  )
  expect((await readRecord(record)).id).toBe(manifest().id)
})
