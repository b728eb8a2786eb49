import { expect, test } from 'vitest'
import type { Settings } from '../../../../src/config/schema.ts'
import { compressionNote } from '../../../../src/deploy/transfer/compression-note.ts'

const note = (settings: Partial<Settings>, compression: 'none' | 'brotli' | 'gzip' | 'zstd') =>
  compressionNote({ package: 'file', pathIsFile: false, ...settings } as Settings, { compression })

test.each([
  [{ compression: 'zstd' }, 'brotli', /zstd, but .* has none .* compressed with brotli$/],
  [{ compression: 'gzip', package: 'directory' }, 'none', /gzip, but murder\.package is directory/],
  [{ compression: 'gzip', pathIsFile: true }, 'none', /gzip, but a single file travels as it is$/],
] as const)('%j that became %s is said', (settings, compression, line) => {
  expect(note(settings, compression)).toMatch(line)
})

test('nothing is said of what was asked for, nor where nothing was', () => {
  expect(note({ compression: 'zstd' }, 'zstd')).toBeUndefined()
  expect(note({ compression: 'none', package: 'directory' }, 'none')).toBeUndefined()
  expect(note({ compression: 'auto' }, 'brotli')).toBeUndefined()
})
