import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { copyAsNew } from '../../../src/files/copy-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-copy-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const isRoot = process.getuid?.() === 0
const [ofUser, groupOfDirectory] = [33, 44]

/** Owner, group and mode of the copy that is made of a program of another user. */
async function copied() {
  const [from, to] = [join(directory, 'from'), join(directory, 'to')]
  writeFileSync(from, 'x')
  if (isRoot) chownSync(from, ofUser, ofUser)
  chmodSync(from, 0o6755)
  await copyAsNew(from, to)
  const { uid, gid, mode } = statSync(to)
  return { uid, gid, mode: mode & 0o7777 }
}

it('makes a file of this user without setuid and setgid', async () => {
  expect(await copied()).toEqual({ uid: process.geteuid?.(), gid: process.getegid?.(), mode: 0o755 })
})

it.skipIf(!isRoot)('gives it the group of a setgid directory', async () => {
  chownSync(directory, 0, groupOfDirectory)
  chmodSync(directory, 0o2755)
  expect(await copied()).toEqual({ uid: 0, gid: groupOfDirectory, mode: 0o755 })
})

it('does not write into what is there', async () => {
  writeFileSync(join(directory, 'to'), 'other')
  await expect(copied()).rejects.toMatchObject({ code: 'EEXIST' })
})
