import { createHash } from 'node:crypto'
import { statSync, truncateSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTorrent } from '../../../../src/torrent/metainfo/create.ts'
import { type Metainfo, parseMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'
import { refuseFullDisk } from '../../../../src/torrent/storage/disk-space.ts'
import { piecesHere, zerosHere } from '../../../../src/torrent/storage/pieces-here.ts'
import { Storage } from '../../../../src/torrent/storage/storage.ts'
import { verifyContent } from '../../../../src/torrent/storage/verify.ts'

const PIECE = 16_384
let directory: string
let source: string
let target: string
let metainfo: Metainfo

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'murder-holes-'))
  source = join(directory, 'source')
  target = join(directory, 'target')
})
afterEach(() => rm(directory, { recursive: true }))

/** A file that is these bytes and then a hole. */
async function makeSource(start: string): Promise<void> {
  await writeFile(source, start)
  truncateSync(source, 3 * PIECE + 10)
  metainfo = parseMetainfo(await createTorrent({ source, trackers: [], pieceLength: PIECE }))
}

async function found(path: string): Promise<number[]> {
  const storage = new Storage(metainfo, path, true)
  try {
    const pieces: number[] = []
    for await (const { piece } of piecesHere(metainfo, storage)) pieces.push(piece)
    return pieces
  } finally {
    await storage.close()
  }
}

it('a file that is all hole is the same as its torrent', async () => {
  await makeSource('')
  expect(await verifyContent(metainfo, source)).toEqual([{ path: 'source', state: 'same' }])
  expect(await found(source)).toEqual([0, 1, 2, 3])
})

it('a small file in one piece of 8 GiB takes the memory of a small file', async () => {
  await makeSource('some text')
  const pieces = createHash('sha1')
    .update(await readFile(source))
    .digest()
  const large = { ...metainfo, pieceLength: 2 ** 33, pieces }
  expect(await verifyContent(large, source)).toEqual([{ path: 'source', state: 'same' }])
})

it('more pieces than a torrent may have are refused before anything is read', async () => {
  await writeFile(source, '')
  truncateSync(source, 56 * 2 ** 30)
  const making = createTorrent({ source, trackers: [], pieceLength: PIECE })
  await expect(making).rejects.toMatchObject({ code: 'TOO_MANY_PIECES', exitCode: 2 })
})

it('zeros need not come: a file that is not there yet has them', async () => {
  await makeSource('some text')
  expect(await found(target)).toEqual([1, 2, 3])
  expect(await readFile(target)).toEqual(Buffer.alloc(3 * PIECE + 10))
  expect(statSync(target).blocks).toBe(0)
})

it('zeros need not come either where the piece hashes come only later, but for what holds other bytes', async () => {
  await makeSource('some text')
  const late = async () => {
    const storage = new Storage(metainfo, target, true)
    try {
      return [...zerosHere(metainfo, await storage.prepare())]
    } finally {
      await storage.close()
    }
  }
  expect(await late()).toEqual([1, 2, 3])
  await writeFile(target, Buffer.alloc(3 * PIECE + 10, 'old'))
  expect(await late()).toEqual([])
})

it('a complete file of holes needs no room on the disk', async () => {
  await makeSource('some text')
  let counted: number | undefined
  const storage = new Storage(metainfo, source, true)
  await storage.prepare(async () => (counted = 0)) // there is room, so nothing is counted
  await storage.close()
  expect(counted).toBeUndefined()
  await expect(refuseFullDisk(directory, 1e18, async () => 0)).resolves.toBeUndefined()
  await expect(refuseFullDisk(directory, 1e18)).rejects.toMatchObject({ code: 'DISK_FULL' })
  await expect(refuseFullDisk(directory, 1e18, async () => 1e17)).rejects.toThrow('are still to come')
})
