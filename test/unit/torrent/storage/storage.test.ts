import { chmodSync, chownSync, linkSync, lstatSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Storage } from '../../../../src/torrent/storage/storage.ts'
import { asNobody, canBeNobody, NOBODY } from '../../../support/as-nobody.ts'

let directory: string
let target: string
let storage: Storage | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'murder-storage-'))
  target = join(directory, 'target')
})
afterEach(async () => {
  await storage?.close()
  await rm(directory, { recursive: true })
})

/** Files of 10 bytes each. */
function storageOf(...names: string[]): Storage {
  const files = names.map((name) => ({ path: name.split('/'), length: 10 }))
  storage = new Storage({ files, singleFile: false }, target, true)
  return storage
}

const contentOf = (name: string) => readFile(join(target, name), 'latin1')
const ten = (letter: string) => Buffer.from(letter.repeat(10))

/** Everything below the directory: names, kinds, lengths. */
const listing = () =>
  readdirSync(directory, { recursive: true })
    .map(String)
    .sort()
    .map((name) => [name, lstatSync(join(directory, name)).size])

describe('refuses, and touches nothing', () => {
  beforeEach(async () => {
    await mkdir(join(target, 'b'), { recursive: true })
    await writeFile(join(directory, 'victim'), 'precious')
    await writeFile(join(target, 'a'), 'longer than ten bytes')
  })

  const refuses = async (names: string[], text: RegExp) => {
    const before = listing()
    const storage = storageOf(...names)
    await expect(storage.prepare()).rejects.toMatchObject({ code: 'WRONG_KIND', message: text })
    expect(listing()).toEqual(before)
    expect(await readFile(join(directory, 'victim'), 'utf8')).toBe('precious')
  }

  it('a directory where the torrent has a file', () => refuses(['a', 'b'], /\/b is a directory/))

  it('a file where the torrent has a directory', () => refuses(['a/c', 'd'], /\/a is not a directory/))

  it.each(['../victim', '/nowhere'])('a symlink to %s in place of a file', async (to) => {
    await symlink(to, join(target, 'l'))
    await refuses(['a', 'l'], /\/l is a symlink/)
  })

  it('a symlink in place of a directory', async () => {
    await symlink('..', join(target, 'l'))
    await refuses(['a', 'l/victim'], /\/l is a symlink/)
  })
})

it('cuts longer files, and changes no file that is not in the torrent', async () => {
  await mkdir(target)
  await writeFile(join(target, 'a'), 'longer than ten bytes')
  await writeFile(join(target, 'other'), 'mine')
  await storageOf('a', 'b').prepare()
  expect(await contentOf('a')).toBe('longer tha')
  expect(await contentOf('other')).toBe('mine')
  expect(statSync(join(target, 'b')).size).toBe(10)
})

it('removes the files that it made, if nothing has come into them', async () => {
  await mkdir(join(target, 'old'), { recursive: true })
  await writeFile(join(target, 'old/a'), 'abc')
  const before = listing()
  await storageOf('old/a', 'new/deep/b', 'c').prepare()
  await storage?.close()
  truncateSync(join(target, 'old/a'), 3)
  await storage?.removeEmpty()
  expect(listing()).toEqual(before)
  const filled = storageOf('new/b', 'new/c')
  await filled.prepare()
  await filled.write(10, ten('c'))
  await filled.close()
  await filled.removeEmpty()
  expect(readdirSync(join(target, 'new'))).toEqual(['c'])
})

it('never writes into a file that has another name', async () => {
  await mkdir(target)
  await writeFile(join(directory, 'elsewhere'), ten('x'))
  await link(join(directory, 'elsewhere'), join(target, 'a'))
  linkSync(join(target, 'a'), join(target, 'b'))
  const storage = storageOf('a', 'b')
  await storage.prepare()
  expect((await storage.read(0, Buffer.alloc(20))).toString()).toBe('x'.repeat(20))
  await storage.write(0, ten('a'))
  expect((await storage.read(0, Buffer.alloc(20))).toString()).toBe('a'.repeat(10) + 'x'.repeat(10))
  expect(await readFile(join(directory, 'elsewhere'), 'latin1')).toBe('x'.repeat(10))
  expect(statSync(join(target, 'b')).ino).toBe(statSync(join(directory, 'elsewhere')).ino)
  expect(readdirSync(target).sort()).toEqual(['a', 'b'])
})

it.skipIf(process.getuid?.() !== 0)(
  'makes no setuid program of its own of what another user linked',
  async () => {
    await mkdir(target)
    await writeFile(join(directory, 'elsewhere'), ten('x'))
    chownSync(join(directory, 'elsewhere'), 33, 33)
    chmodSync(join(directory, 'elsewhere'), 0o6755)
    await link(join(directory, 'elsewhere'), join(target, 'a'))
    const storage = storageOf('a')
    await storage.prepare()
    await storage.write(0, ten('a').subarray(0, 1))
    const { mode, uid } = statSync(join(target, 'a'))
    expect({ mode: mode & 0o7777, uid }).toEqual({ mode: 0o755, uid: 0 })
  },
)

it.skipIf(!canBeNobody)('goes on with what the attributes of the last time close to its owner', async () => {
  await mkdir(join(target, 'sub'), { recursive: true })
  for (const name of ['a', 'sub/b']) await writeFile(join(target, name), ten('x'))
  for (const name of ['a', 'sub/b', 'sub', '.']) {
    chownSync(join(target, name), NOBODY, NOBODY)
    chmodSync(join(target, name), 0o200)
  }
  for (const path of [directory, target]) chownSync(path, NOBODY, NOBODY)
  const files = ['a', 'sub/b'].map((name) => ({ path: name.split('/'), length: 10 }))
  await asNobody(async () => {
    storage = new Storage({ files, singleFile: false }, target, true, { ownerOnly: true })
    await storage.prepare()
    expect((await storage.read(0, Buffer.alloc(20))).toString()).toBe('x'.repeat(20))
    await storage.write(10, ten('b'))
    await storage.close()
  })
  expect(await contentOf('sub/b')).toBe('b'.repeat(10))
})

it('knows without reading where there are no bytes', async () => {
  await mkdir(target)
  await writeFile(join(target, 'a'), ten('a'))
  await writeFile(join(target, 'short'), 'abc')
  await writeFile(join(target, 'hole'), '')
  truncateSync(join(target, 'hole'), 10)
  const storage = storageOf('a', 'short', 'hole', 'missing')
  const survey = await storage.prepare()
  const hasBytes = (at: number, length: number) => survey.hasBytes(at, length)
  expect([hasBytes(0, 10), hasBytes(10, 3), hasBytes(9, 5)]).toEqual([true, true, true])
  expect([hasBytes(13, 7), hasBytes(20, 1), hasBytes(30, 1), hasBytes(15, 25)]).toEqual(Array(4).fill(false))
  const isWhole = (at: number, length: number) => survey.isWhole(at, length)
  expect([isWhole(0, 13), isWhole(20, 10)]).toEqual([true, true])
  expect([isWhole(10, 4), isWhole(30, 1), isWhole(25, 10)]).toEqual([false, false, false])
})

it('keeps few files open, however many are used at once', async () => {
  const names = Array.from({ length: 400 }, (_, index) => `file${index}`)
  const before = readdirSync('/proc/self/fd').length
  const storage = storageOf(...names)
  await storage.prepare()
  let most = 0
  const timer = setInterval(() => {
    const open = readdirSync('/proc/self/fd').length
    most = Math.max(most, open)
  }, 1)
  await Promise.all(names.map((_, index) => storage.write(index * 10, ten(String(index % 10)))))
  await Promise.all(
    names.map(async (_, index) => {
      expect((await storage.read(index * 10, Buffer.alloc(10))).toString()).toBe(
        String(index % 10).repeat(10),
      )
    }),
  )
  clearInterval(timer)
  expect(most).toBeGreaterThan(0)
  expect(most - before).toBeLessThan(140)
})

it('makes files as the umask says, or for the owner only', async () => {
  const umask = process.umask(0o027)
  try {
    await storageOf('open/a').prepare()
    await storage?.close()
    const files = [{ path: ['shut', 'a'], length: 10 }]
    storage = new Storage({ files, singleFile: false }, target, true, { ownerOnly: true })
    await storage.prepare()
  } finally {
    process.umask(umask)
  }
  const modeOf = (name: string) => (statSync(join(target, name)).mode & 0o777).toString(8)
  expect([modeOf('open'), modeOf('open/a'), modeOf('shut'), modeOf('shut/a')]).toEqual([
    '750',
    '640',
    '700',
    '600',
  ])
})

it.runIf(process.getuid?.() === 0)('changes what an earlier run left read-only, as its owner', async () => {
  await mkdir(join(target, 'd'), { recursive: true })
  await writeFile(join(target, 'd/a'), ten('x'), { mode: 0o400 })
  for (const path of ['', 'd', 'd/a']) chownSync(join(target, path), 1234, 1234)
  chmodSync(join(target, 'd'), 0o555)
  chmodSync(directory, 0o755)
  process.seteuid?.(1234)
  try {
    const files = ['d/a', 'd/new'].map((name) => ({ path: name.split('/'), length: 10 }))
    storage = new Storage({ files, singleFile: false }, target, true, { ownerOnly: true })
    await storage.prepare()
    await storage.write(0, Buffer.alloc(20, 'y'))
  } finally {
    process.seteuid?.(0)
  }
  expect((await contentOf('d/a')) + (await contentOf('d/new'))).toBe('y'.repeat(20))
})
