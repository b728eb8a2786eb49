import { link, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Storage } from '../../../../src/torrent/storage/storage.ts'

let directory: string
let storage: Storage

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'murder-storage-'))
  const files = [
    { path: ['a'], length: 10 },
    { path: ['b'], length: 10 },
  ]
  storage = new Storage({ files, singleFile: false }, directory, true)
})
afterEach(async () => {
  await storage.close()
  await rm(directory, { recursive: true })
})

const contentOf = (name: string) => readFile(join(directory, name), 'latin1')

it('writes at once, at its place in its file', async () => {
  await storage.prepare()
  expect(storage.writeNow(12, Buffer.from('xyz'))).toBe(true)
  expect(await contentOf('a')).toBe('\0'.repeat(10))
  expect(await contentOf('b')).toBe(`\0\0xyz${'\0'.repeat(5)}`)
})

it('writes a range of two files', async () => {
  await storage.prepare()
  await storage.close()
  expect(storage.writeNow(8, Buffer.from('wxyz'))).toBe(true)
  expect((await contentOf('a')) + (await contentOf('b'))).toBe(`${'\0'.repeat(8)}wxyz${'\0'.repeat(8)}`)
})

it('leaves to write a file that is not there', () => {
  expect(storage.writeNow(0, Buffer.from('x'))).toBe(false)
})

it('leaves to write a file with another name, or a symlink, and touches neither', async () => {
  await storage.prepare()
  await storage.close()
  await link(join(directory, 'a'), join(directory, 'c'))
  await rename(join(directory, 'b'), join(directory, 'd'))
  await symlink('d', join(directory, 'b'))
  expect([storage.writeNow(0, Buffer.from('x')), storage.writeNow(10, Buffer.from('x'))]).toEqual([
    false,
    false,
  ])
  expect((await contentOf('c')) + (await contentOf('d'))).toBe('\0'.repeat(20))
  await storage.write(0, Buffer.from('x'))
  await expect(storage.write(10, Buffer.from('x'))).rejects.toThrow()
  expect((await contentOf('c')) + (await contentOf('d'))).toBe('\0'.repeat(20))
})
