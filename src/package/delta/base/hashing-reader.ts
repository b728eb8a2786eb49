import { createHash } from 'node:crypto'
import type { Entry } from '../../../files/entry.ts'
import { contentReader } from '../../pack/content.ts'
import { type Manifest, manifestOf } from '../format/manifest.ts'

type ContentOf = ReturnType<typeof contentReader>

const EMPTY = createHash('sha256').digest('hex')

/**
 * Reads files for packing and hashes them meanwhile, so that each file is read once. `manifest` is then that of the bytes that
 * were read.
 */
export function hashingReader(
  root: string,
  entries: readonly Entry[],
): { contentOf: ContentOf; manifest: () => Manifest } {
  const read = contentReader(root)
  const hashes = new Map<string, string>()
  const contentOf: ContentOf = (entry) => {
    const content = read(entry)
    const hash = createHash('sha256')
    const note = () => void hashes.set(entry.path, hash.digest('hex'))
    if (!Buffer.isBuffer(content)) return hashed(content, hash, note)
    hash.update(content)
    note()
    return content
  }
  const delivered = (entry: Entry) =>
    entry.type === 'file' ? { ...entry, sha256: hashes.get(entry.path) ?? EMPTY } : entry
  return { contentOf, manifest: () => manifestOf(entries.map(delivered)) }
}

async function* hashed(
  content: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
  note: () => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk)
    yield chunk
  }
  note()
}
