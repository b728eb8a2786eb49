import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  applyStandardAttributes,
  compareStandardAttributes,
} from '../../../../src/agent/manifest/standard-attributes.ts'

const torrent = {
  singleFile: false,
  files: [
    { path: ['bin', 'run'], length: 3, executable: true },
    { path: ['plain'], length: 3 },
  ],
  links: [
    { path: ['run'], target: ['bin', 'run'] },
    { path: ['bin', 'up'], target: ['plain'] },
  ],
}
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'murder-attributes-'))
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin', 'run'), 'run', { mode: 0o640 })
  writeFileSync(join(root, 'plain'), 'run', { mode: 0o644 })
})
afterEach(() => rmSync(root, { recursive: true }))

it('are symlinks that lead from where they are, and files that may be executed by all that may read them', () => {
  symlinkSync('/etc/passwd', join(root, 'run'))
  applyStandardAttributes(root, torrent)
  expect(readlinkSync(join(root, 'run'))).toBe('bin/run')
  expect(readlinkSync(join(root, 'bin', 'up'))).toBe('../plain')
  expect(statSync(join(root, 'bin', 'run')).mode & 0o777).toBe(0o750)
  expect(statSync(join(root, 'plain')).mode & 0o777).toBe(0o644)
  expect(compareStandardAttributes(root, torrent)).toEqual([
    { path: 'run', state: 'same' },
    { path: 'bin/up', state: 'same' },
  ])
})

it('differ when a link is missing or leads elsewhere, or a file is not executable', () => {
  symlinkSync('/etc/passwd', join(root, 'run'))
  expect(compareStandardAttributes(root, torrent)).toEqual([
    { path: 'bin/run', state: 'different', differences: ['not executable'] },
    { path: 'run', state: 'different', differences: ['link to /etc/passwd, not link to bin/run'] },
    { path: 'bin/up', state: 'missing' },
  ])
})

it('of a torrent of one file are those of the file itself', () => {
  const file = join(root, 'plain')
  chmodSync(file, 0o600)
  const one = { singleFile: true, files: [{ path: ['name'], length: 3, executable: true }], links: [] }
  applyStandardAttributes(file, one)
  expect(statSync(file).mode & 0o777).toBe(0o700)
})
