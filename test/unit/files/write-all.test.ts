import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { writeAll } from '../../../src/files/write-all.ts'

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  /** As a system that takes three bytes at a time. */
  const writeSync = (fd: number, bytes: Buffer, from: number) =>
    fs.writeSync(fd, bytes, from, Math.min(3, bytes.length - from))
  return { ...fs, writeSync }
})

test('nothing is lost where the system takes less than it is given', () => {
  const directory = mkdtempSync(join(tmpdir(), 'murder-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'file')
  const fd = openSync(file, 'wx')
  writeAll(fd, Buffer.from('one, two, three, four'))
  writeAll(fd, Buffer.alloc(0))
  closeSync(fd)
  expect(readFileSync(file, 'utf8')).toBe('one, two, three, four')
})
