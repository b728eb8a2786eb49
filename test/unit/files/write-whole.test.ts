import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeWhole } from '../../../src/files/write-whole.ts'

const LONGEST = 'n'.repeat(255)

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-write-'))
  file = join(directory, 'file')
})
afterEach(() => rmSync(directory, { recursive: true }))

describe.each([{ fsync: false }, { fsync: true }])('a file written whole, %o', (options) => {
  it('has the new content and mode, and is another file than before', () => {
    writeFileSync(file, 'old', { mode: 0o644 })
    const { ino } = statSync(file)
    writeWhole(file, Buffer.from('new'), { mode: 0o600, ...options })
    expect(readFileSync(file, 'utf8')).toBe('new')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(file).ino).not.toBe(ino)
    expect(readdirSync(directory)).toEqual(['file'])
  })

  it('may have the longest name that there is', () => {
    writeWhole(join(directory, LONGEST), 'new', options)
    expect(readdirSync(directory)).toEqual([LONGEST])
  })

  it('takes the place of a symlink and does not go through it', () => {
    const other = join(directory, 'other')
    writeFileSync(other, 'other')
    symlinkSync('other', file)
    writeWhole(file, 'new', options)
    expect(lstatSync(file).isFile()).toBe(true)
    expect(readFileSync(other, 'utf8')).toBe('other')
  })

  it('names the file itself when it cannot be written, and leaves nothing behind', () => {
    mkdirSync(join(directory, 'taken/by'), { recursive: true })
    const taken = join(directory, 'taken')
    expect(() => writeWhole(taken, 'new', options)).toThrow(
      expect.objectContaining({ path: taken, dest: taken }),
    )
    expect(readdirSync(directory)).toEqual(['taken'])
    const nowhere = join(directory, 'none/file')
    expect(() => writeWhole(nowhere, 'new', options)).toThrow(
      expect.objectContaining({ code: 'ENOENT', path: nowhere }),
    )
  })
})
