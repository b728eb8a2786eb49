import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Storage } from '../../../../src/torrent/storage/storage.ts'

let directory: string
let storage: Storage

/** aaaaa, 3 zeros, bb, 5 zeros, and the symlink `links/c`. */
const files = [
  { path: ['a'], length: 5 },
  { path: ['b'], length: 2, padding: 3 },
]
const links = [{ path: ['links', 'c'], target: ['a'] }]
const content = Buffer.from('aaaaa\0\0\0bb\0\0\0\0\0')

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'murder-padding-'))
  storage = new Storage({ files, links, singleFile: false }, directory, true)
})
afterEach(async () => {
  await storage.close()
  await rm(directory, { recursive: true })
})

it('is zeros in the content and nothing on disk', async () => {
  await storage.prepare()
  await storage.write(0, content)
  expect(await readFile(join(directory, 'a'), 'latin1')).toBe('aaaaa')
  expect(await readFile(join(directory, 'b'), 'latin1')).toBe('bb')
  expect(readdirSync(directory)).toEqual(['a', 'b', 'links'])
  for (const [from, to] of [
    [0, 15],
    [4, 9],
    [5, 8],
    [6, 7],
    [9, 15],
    [11, 15],
  ] as const)
    expect(await storage.read(from, Buffer.alloc(to - from, 'x'))).toEqual(content.subarray(from, to))
})

it('makes the directories of symlinks, so that nothing else can be there', async () => {
  await storage.prepare()
  expect(existsSync(join(directory, 'links'))).toBe(true)
})

it('needs no file to be whole', async () => {
  const survey = await storage.prepare()
  expect(survey.hasBytes(0, 15)).toBe(false)
  await storage.write(0, content)
  const whole = await storage.survey()
  expect([whole.isWhole(5, 3), whole.isWhole(0, 15)]).toEqual([true, true])
  expect([whole.hasBytes(5, 3), whole.hasBytes(5, 4)]).toEqual([false, true])
})
