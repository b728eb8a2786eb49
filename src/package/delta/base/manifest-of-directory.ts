import { createHash } from 'node:crypto'
import type { Entry } from '../../../files/entry.ts'
import { stopIfAborted } from '../../../files/file-errors.ts'
import { contentReader } from '../../pack/content.ts'
import { type Delivered, type Manifest, manifestOf } from '../format/manifest.ts'

/** The manifest of a release: `entries` is the result of `scan(root)`. Throws FILE_CHANGED, FILE_UNREADABLE or INTERRUPTED. */
export async function manifestOfDirectory(
  root: string,
  entries: readonly Entry[],
  signal?: AbortSignal,
): Promise<Manifest> {
  const contentOf = contentReader(root)
  const delivered: Delivered[] = []
  for (const entry of entries) {
    stopIfAborted(signal)
    if (entry.type !== 'file') delivered.push(entry)
    else delivered.push({ ...entry, sha256: await hashOf(contentOf(entry), signal) })
  }
  return manifestOf(delivered)
}

async function hashOf(
  content: ReturnType<ReturnType<typeof contentReader>>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256')
  if (Buffer.isBuffer(content)) hash.update(content)
  else if (content)
    for await (const chunk of content) {
      stopIfAborted(signal)
      hash.update(chunk)
    }
  return hash.digest('hex')
}
