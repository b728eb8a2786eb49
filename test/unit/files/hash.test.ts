import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sha256Of, sha256OfFile } from '../../../src/files/hash.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-hash-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('hashes a text, bytes and a file of several reads alike', async () => {
  // FIPS 180-2, appendix B.1.
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(sha256Of('abc')).toBe(abc)
  expect(sha256Of(Buffer.from('abc'))).toBe(abc)
  const content = randomBytes(3_000_001)
  writeFileSync(join(directory, 'file'), content)
  expect(await sha256OfFile(join(directory, 'file'))).toBe(createHash('sha256').update(content).digest('hex'))
  expect(sha256Of(content)).toBe(await sha256OfFile(join(directory, 'file')))
})

it('stops when it is told to, and says what cannot be read', async () => {
  writeFileSync(join(directory, 'file'), 'content')
  const stopped = AbortSignal.abort()
  await expect(sha256OfFile(join(directory, 'file'), stopped)).rejects.toMatchObject({ code: 'INTERRUPTED' })
  await expect(sha256OfFile(join(directory, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
})
