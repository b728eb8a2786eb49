import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadTransfer, removeTransfer } from '../../../../src/deploy/transfer/stored-transfer.ts'
import type { Shipit, ShipitConfig } from '../../../../src/shipit.ts'
import { createTorrent } from '../../../../src/torrent/metainfo/create.ts'
import { parseMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'

let root: string
const home = process.cwd()

const plant = (...paths: string[]) => {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), 'content')
  }
}

/** A whole package. */
async function plantPackage(directory: string): Promise<void> {
  plant(`${directory}/package`, `${directory}/secret`)
  const torrent = await createTorrent({
    ...{ source: join(root, directory, 'package'), name: 'package', trackers: [], pieceLength: 16_384 },
  })
  writeFileSync(join(root, directory, 'package.torrent'), torrent)
  const { infoHash } = parseMetainfo(torrent)
  writeFileSync(
    join(root, directory, 'transfer.json'),
    JSON.stringify({ tag: 'one', infoHash, extent: { entries: 0, bytes: 0 } }),
  )
}

const remove = (config: ShipitConfig = {}, environment = 'staging') =>
  removeTransfer({ shipit: { environment, config } as Shipit })

const left = (...paths: string[]) => paths.filter((path) => existsSync(join(root, path)))

beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'stored-transfer-'))
  process.chdir(root)
})

afterEach(() => {
  process.chdir(home)
  rmSync(root, { recursive: true, force: true })
})

test('a package goes with the workspace that was fetched for it', async () => {
  await plantPackage('.shipit-murder/staging')
  plant('.shipit-murder/staging/workspace/deep/file', '.shipit-murder/staging/one.torrent')
  expect(await remove({ workspace: '/another' })).toBe(true)
  expect(left('.shipit-murder/staging')).toEqual([])
})

test.each(['.shipit-murder/staging/workspace', './.shipit-murder/x/../staging/workspace/'])(
  'the workspace that is configured as %s stays',
  async (workspace) => {
    plant('.shipit-murder/staging/workspace/file', '.shipit-murder/x/file')
    expect(await remove({ workspace })).toBe(false)
    expect(left('.shipit-murder/staging/workspace/file')).not.toEqual([])
  },
)

const users = ['src/workspace/file', 'src/package', 'src/secret', 'src/own.torrent']

test.each([
  ['.shipit-murder', '.', 'src'],
  ['.shipit-murder', 'src/..', 'src'],
  ['.shipit-murder/staging', '../src', 'staging'],
])('what is behind the link %s to %s stays', async (link, target, environment) => {
  plant(...users, '.shipit-murder/file')
  rmSync(join(root, link), { recursive: true, force: true })
  symlinkSync(target, join(root, link))
  expect(await remove({}, environment)).toBe(false)
  expect(left(...users)).toEqual(users)
})

test('behind a link goes a package, and nothing else', async () => {
  await plantPackage('elsewhere/staging')
  plant('elsewhere/staging/workspace/file', 'elsewhere/staging/own.torrent')
  symlinkSync('elsewhere', join(root, '.shipit-murder'))
  expect(await remove()).toBe(true)
  const stays = ['elsewhere/staging/workspace/file', 'elsewhere/staging/own.torrent']
  expect(left(...stays, 'elsewhere/staging/package', 'elsewhere/staging/transfer.json')).toEqual(stays)
})

test('a directory in the place of a file stays, and a link goes without what it names', async () => {
  plant('.shipit-murder/staging/package/file', 'src/file')
  symlinkSync(join(root, 'src'), join(root, '.shipit-murder/staging/workspace'))
  expect(await remove()).toBe(false)
  expect(left('.shipit-murder/staging/package/file', 'src/file')).toHaveLength(2)
  expect(left('.shipit-murder/staging/workspace')).toEqual([])
})

test('a package of a version that described its files in another way counts as none, and goes like any other', async () => {
  await plantPackage('.shipit-murder/staging')
  const load = () => loadTransfer({ shipit: { environment: 'staging', config: {} } as Shipit })
  expect(await load()).toMatchObject({ tag: 'one', extent: { entries: 0 } })
  plant('.shipit-murder/staging/layout')
  const { extent: _, ...before } = JSON.parse(readFileSync('.shipit-murder/staging/transfer.json', 'utf8'))
  writeFileSync('.shipit-murder/staging/transfer.json', JSON.stringify(before))
  expect(await load()).toBeUndefined()
  await remove()
  expect(left('.shipit-murder/staging')).toEqual([])
})
