import { createHash, hash as hashAtOnce } from 'node:crypto'
import type { Entry } from '../../../files/entry.ts'
import { stopIfAborted } from '../../../files/file-errors.ts'
import { contentReader } from '../../pack/content.ts'
import { type Delivered, type Manifest, manifestOf } from '../format/manifest.ts'
import { KnownHashes } from './known-hashes.ts'

/**
 * The manifest of a release: `entries` is the result of `scan(root)`. Files are read whose hashes are not `known`.
 * Throws FILE_CHANGED, FILE_UNREADABLE or INTERRUPTED.
 */
export async function manifestOfDirectory(
  root: string,
  entries: readonly Entry[],
  signal?: AbortSignal,
  known = new KnownHashes(),
): Promise<Manifest> {
  const contentOf = contentReader(root)
  const delivered: Delivered[] = []
  for (const entry of entries) {
    stopIfAborted(signal)
    if (entry.type !== 'file') delivered.push(entry)
    else {
      const sha256 = await known.of(root, entry, () => hashOf(contentOf(entry), signal))
      delivered.push({ ...entry, sha256 })
    }
  }
  return manifestOf(delivered)
}

async function hashOf(
  content: ReturnType<ReturnType<typeof contentReader>>,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (Buffer.isBuffer(content)) return hashAtOnce('sha256', content)
  const hash = createHash('sha256')
  if (content)
    for await (const chunk of content) {
      stopIfAborted(signal)
      hash.update(chunk)
    }
  return hash.digest('hex')
}
