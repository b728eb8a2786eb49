import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Entry } from '../../../files/entry.ts'
import type { Manifest } from '../format/manifest.ts'
import { forgetOld, isKept, type KeptBase, keptIds, openKept, signaturePath } from './kept-base.ts'
import { ContentWriter, KeptContent } from './kept-content.ts'
import type { KnownHashes } from './known-hashes.ts'
import { manifestOfDirectory } from './manifest-of-directory.ts'
import { type SharedRun, sharedRuns } from './shared-runs.ts'
import { writeDraft } from './write-draft.ts'

const DRAFT = '.new-'
export interface KeepOptions {
  /** Where bases are kept. */
  directory: string
  root: string
  entries: readonly Entry[]
  /** Bytes of content that are kept; of a larger release only the signature is. */
  contentLimit: number
  known?: KnownHashes | undefined
  /** Opens a delta that makes this release of the base with this id, if there is one. */
  deltaFrom?: (id: string) => AsyncIterable<Buffer> | undefined
  /** Called once the release's own files are not needed any more. */
  onRead?: () => void
  signal?: AbortSignal | undefined
}

/**
 * Keeps what will be an earlier release, and forgets what is too old. Only files are read that the last base has not, under any
 * name, and of these, where there is a delta, only what is new. Throws FILE_CHANGED and what the file system throws.
 */
export async function keepBase(options: KeepOptions): Promise<void> {
  const { directory, root, entries, contentLimit, known, signal } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(directory))
    if (name.startsWith(DRAFT)) rmSync(join(directory, name), { recursive: true, force: true })
  const manifest = await manifestOfDirectory(root, entries, signal, known)
  const size = entries.reduce((sum, each) => sum + each.size, 0)
  const keepsContent = size <= contentLimit
  const [last] = keptIds(directory)
  if (last === manifest.id && isWhole(directory, manifest, keepsContent)) {
    options.onRead?.()
    utimesSync(signaturePath(directory, last), new Date(), new Date())
    return
  }
  const earlier = last === undefined ? undefined : await openKept(directory, last).catch(() => undefined)
  const chain = earlier?.content.isWorthIt(size) ? earlier.content : undefined
  const content = keepsContent ? new ContentWriter(directory, chain) : undefined
  const draft = join(directory, `${DRAFT}${process.pid}`)
  try {
    mkdirSync(draft, { mode: 0o700 })
    const runs = earlier ? await runsFrom(earlier, manifest, options) : new Map()
    await writeDraft(draft, { root, manifest, earlier, runs, content, signal })
    options.onRead?.()
    content?.end(draft)
    const place = join(directory, manifest.id)
    rmSync(place, { recursive: true, force: true })
    renameSync(draft, place)
    forgetOld(directory, manifest.id)
  } catch (error) {
    content?.discard()
    throw error
  } finally {
    earlier?.close()
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Whether this base is kept as it shall be. */
function isWhole(directory: string, { id, entries }: Manifest, keepsContent: boolean): boolean {
  if (!isKept(directory, id)) return false
  const { places } = KeptContent.of(directory, id)
  return (
    !keepsContent ||
    entries.every(({ sha256, size }) => sha256 === undefined || size === 0 || places.has(sha256))
  )
}

/** What the release shares with the last base. */
async function runsFrom(
  { manifest: base }: KeptBase,
  { id }: Manifest,
  { deltaFrom }: KeepOptions,
): Promise<ReadonlyMap<string, SharedRun[]>> {
  const parts = deltaFrom?.(base.id)
  if (!parts) return new Map()
  // An incomplete delta does not say so everywhere. Then all files are read.
  return sharedRuns(parts, base, id).catch(() => new Map())
}
