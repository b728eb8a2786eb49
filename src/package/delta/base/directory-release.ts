import { fstatSync } from 'node:fs'
import { join } from 'node:path'
import { openToRead } from '../../../files/open-to-read.ts'
import type { Manifest } from '../format/manifest.ts'
import type { Blocks } from '../match/blocks.ts'
import { type ByteSource, fileSource } from '../match/byte-source.ts'
import type { EarlierRelease } from '../match/earlier-release.ts'

/**
 * An earlier release whose content is in a directory of this user. A file that is missing or has another size counts as one
 * without content here.
 */
export function directoryRelease(
  from: string,
  manifest: Manifest,
  blocksOf: (index: number) => Blocks | undefined = () => undefined,
): EarlierRelease {
  return {
    manifest,
    blocksOf,
    open(index) {
      const entry = manifest.entries[index]
      return entry && openFile(join(from, entry.path), entry.size)
    },
  }
}

/** Undefined when no file of that size can be read there. */
function openFile(path: string, size: number): ByteSource | undefined {
  let source: ByteSource | undefined
  try {
    const fd = openToRead(path)
    source = fileSource(fd, size)
    const stats = fstatSync(fd)
    if (stats.isFile() && stats.size === size) return source
  } catch {
    // It has gone.
  }
  source?.close()
  return undefined
}
