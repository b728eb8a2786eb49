import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { notePackageScript } from '../../../../src/deploy/scripts/releases/find-release-script.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's "))
})
afterEach(() => rmSync(root, { recursive: true }))

const ask = (sha256: string) => {
  const script = notePackageScript({
    path: join(root, 'release'),
    note: join(root, 'unpacked/release'),
    sha256,
  })
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim()
}
const noted = () => readFileSync(join(root, 'unpacked/release'), 'utf8').trim()
const plantRelease = () => {
  mkdirSync(join(root, 'release'), { recursive: true })
  writeFileSync(join(root, 'release/file'), 'content')
}

test('where nothing is, the package that is to come is noted', () => {
  expect(ask('abc')).toBe('')
  expect(noted()).toBe('abc')
  mkdirSync(join(root, 'release'))
  expect(ask('def')).toBe('')
  expect(noted()).toBe('def')
})

test('a release is known by the note of its package', () => {
  ask('abc')
  plantRelease()
  expect(ask('abc')).toBe('same')
  expect(ask('def')).toBe('other')
  expect(noted()).toBe('abc')
})

test('a release without a note is another one', () => {
  plantRelease()
  expect(ask('abc')).toBe('other')
})
