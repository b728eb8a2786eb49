import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decrypt, encrypt, newKey } from '../../../../src/package/format/cipher.ts'

const CHUNK = 64 * 1024
const SEALED = CHUNK + 16
const key = newKey()

async function* inParts(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function all(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

const seal = (plain: Buffer, part = 100_000) => all(encrypt(inParts(plain, part), key))
const open = (sealed: Buffer, part = 70_001) => all(decrypt(inParts(sealed, part), key))

test.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 77])(
  '%i bytes come back',
  async (length) => {
    const plain = randomBytes(length)
    const sealed = await seal(plain)
    expect(sealed.length).toBe(length + 16 * Math.max(1, Math.ceil(length / CHUNK)))
    expect((await open(sealed)).equals(plain)).toBe(true)
    expect((await all(decrypt(inParts(sealed, 1000), key))).equals(plain)).toBe(true)
  },
)

test('nothing of the content is in the ciphertext, and two keys make two', async () => {
  const plain = Buffer.alloc(3 * CHUNK, 'content of a release. ')
  const sealed = await seal(plain)
  expect(sealed.includes('release')).toBe(false)
  expect(sealed.equals(await all(encrypt(inParts(plain, 999), newKey())))).toBe(false)
  expect(sealed.subarray(0, 1000).equals(sealed.subarray(SEALED, SEALED + 1000))).toBe(false)
})

describe('a package that was tampered with is refused', () => {
  const plain = randomBytes(3 * CHUNK + 5)
  const chunk = (sealed: Buffer, n: number) => sealed.subarray(n * SEALED, (n + 1) * SEALED)
  const changes: Record<string, (sealed: Buffer) => Buffer> = {
    'a bit of the content': (sealed) => flip(sealed, 70_000),
    'a bit of a tag': (sealed) => flip(sealed, CHUNK + 3),
    'a bit of the last tag': (sealed) => flip(sealed, sealed.length - 1),
    'cut after a chunk': (sealed) => sealed.subarray(0, 2 * SEALED),
    'cut in a chunk': (sealed) => sealed.subarray(0, 2 * SEALED + 100),
    'cut in a tag': (sealed) => sealed.subarray(0, sealed.length - 3),
    'nothing left': () => Buffer.alloc(0),
    'two chunks in the other order': (sealed) =>
      Buffer.concat([chunk(sealed, 1), chunk(sealed, 0), sealed.subarray(2 * SEALED)]),
    'a chunk twice': (sealed) => Buffer.concat([chunk(sealed, 0), chunk(sealed, 0), sealed.subarray(SEALED)]),
    'a chunk left out': (sealed) => Buffer.concat([chunk(sealed, 0), sealed.subarray(2 * SEALED)]),
    'something added': (sealed) => Buffer.concat([sealed, Buffer.alloc(20)]),
  }
  test.each(Object.entries(changes))('%s', async (_, change) => {
    await expect(open(change(await seal(plain)))).rejects.toMatchObject({ code: 'PACKAGE_DAMAGED' })
  })

  test('another key', async () => {
    const sealed = await seal(plain)
    await expect(all(decrypt(inParts(sealed, 5000), newKey()))).rejects.toMatchObject({
      code: 'PACKAGE_DAMAGED',
    })
  })
})

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 4
  return copy
}
