import { closeSync, createReadStream, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { reason } from '../../errors.ts'
import type { Entry } from '../../files/entry.ts'
import { writeAll } from '../../files/write-all.ts'
import { keepBase } from '../../package/delta/base/keep-base.ts'
import { openKept } from '../../package/delta/base/kept-base.ts'
import { KnownHashes } from '../../package/delta/base/known-hashes.ts'
import { manifestOfDirectory } from '../../package/delta/base/manifest-of-directory.ts'
import { hasSameContent, type Manifest } from '../../package/delta/format/manifest.ts'
import { makeDelta } from '../../package/delta/make-delta.ts'
import { decrypt, encrypt } from '../../package/format/cipher.ts'
import type { JobEntry, KeepBase, MakeDeltas, WantedDelta } from '../../protocol/delta-job.ts'
import { diskSpace } from '../../torrent/storage/disk-space.ts'
import { printJson } from '../cli/output.ts'

/** Kept content takes at most this share of the free disk. */
const DISK_SHARE = 0.25

/** Writes each delta, and says so. Where that fails because the base is unusable, the base goes. */
export async function makeDeltas(job: MakeDeltas, signal: AbortSignal): Promise<void> {
  const known = new KnownHashes(job.hashes)
  const manifest = await manifestOfDirectory(job.root, job.entries.map(entryOf), signal, known)
  known.write()
  for (const wanted of job.deltas) {
    try {
      const unchanged = await write(job, manifest, wanted, signal)
      printJson({ event: 'made', base: wanted.id, becomes: manifest.id, unchanged })
    } catch (error) {
      if (signal.aborted || (error as { code?: string }).code !== 'BAD_SIGNATURE') throw error
      printJson({ event: 'unmade', base: wanted.id, message: reason(error) })
      rmSync(join(wanted.bases, wanted.id), { recursive: true, force: true })
    }
  }
}

/** Returns whether only times have changed. */
async function write(
  { root }: MakeDeltas,
  manifest: Manifest,
  { id, bases, output, key }: WantedDelta,
  signal: AbortSignal,
): Promise<boolean> {
  mkdirSync(dirname(output), { recursive: true, mode: 0o700 })
  const fd = openSync(output, 'wx', 0o600)
  try {
    const base = await openKept(bases, id)
    try {
      const plain = makeDelta({ root, manifest, base, signal })
      for await (const part of key === undefined ? plain : encrypt(plain, key)) writeAll(fd, part)
      return hasSameContent(base.manifest, manifest)
    } finally {
      base.close()
    }
  } finally {
    closeSync(fd)
  }
}

/** Keeps a release, and its content where there is room. */
export async function keep(job: KeepBase, signal: AbortSignal): Promise<void> {
  const { bases, root } = job
  const { free } = await diskSpace(bases)
  const contentLimit = Math.min(job.contentLimit, free * DISK_SHARE)
  const onRead = () => printJson({ event: 'read' })
  // The deltas of this deploy were made with them.
  const known = new KnownHashes(job.hashes, { trustsRecent: true })
  const entries = job.entries.map(entryOf)
  const deltaFrom = (id: string) => {
    const delta = job.deltas.find((each) => each.id === id)
    if (!delta) return undefined
    const parts = createReadStream(delta.output) as AsyncIterable<Buffer>
    return delta.key === undefined ? parts : decrypt(parts, delta.key)
  }
  await keepBase({ directory: bases, root, entries, contentLimit, known, deltaFrom, onRead, signal })
  known.write()
}

const entryOf = (entry: JobEntry): Entry => ({ ...entry, mtime: BigInt(entry.mtime) })
