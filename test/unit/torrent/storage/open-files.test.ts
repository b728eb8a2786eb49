import { expect, test } from 'vitest'
import { mostOpenFiles, openFilesWithin } from '../../../../src/torrent/storage/open-files.ts'

const limits = (soft: number | string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}  524288               files\n`

test('open files leave descriptors to sockets', () => {
  expect(openFilesWithin(limits(64))).toBe(16)
  expect(openFilesWithin(limits(20))).toBe(4)
  expect(openFilesWithin(limits(1_048_576))).toBe(128)
  expect(openFilesWithin(limits('unlimited'))).toBe(128)
  expect(openFilesWithin('')).toBe(128)
  expect(mostOpenFiles()).toBeGreaterThanOrEqual(4)
})
