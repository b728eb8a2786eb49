import { fstatSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import { changed, stopIfAborted, unreadable } from '../../files/file-errors.ts'
import { openToRead } from '../../files/open-to-read.ts'
import { DeltaWriter, END, MAGIC } from './format/delta-writer.ts'
import type { Delivered, Manifest } from './format/manifest.ts'
import { type ByteSource, fileSource } from './match/byte-source.ts'
import type { EarlierRelease } from './match/earlier-release.ts'
import { LikelyBases } from './match/likely-bases.ts'
import { matchFile } from './match/match-file.ts'
import { Scratch } from './match/scratch.ts'

export interface DeltaOptions {
  /** Where the new release's files are. */
  root: string
  /** The new release. */
  manifest: Manifest
  base: EarlierRelease
  signal?: AbortSignal
}

/** Longest time until timers and signals get their turn, where matching allows it. */
const TURN_MS = 10

/**
 * The delta from an earlier release to the new one, as bytes. It works synchronously for up to some hundred milliseconds at a
 * time, so it belongs on a thread of its own. Throws FILE_CHANGED, FILE_UNREADABLE or INTERRUPTED.
 */
export async function* makeDelta({ root, manifest, base, signal }: DeltaOptions): AsyncGenerator<Buffer> {
  const writer = new DeltaWriter(base.manifest)
  const scratch = new Scratch()
  const kept = new Set(manifest.entries.map(({ path }) => path))
  const likely = new LikelyBases(base.manifest.entries, kept)
  let last = performance.now()
  yield Buffer.concat([MAGIC, Buffer.from(base.manifest.id, 'hex')])
  for (const entry of manifest.entries) {
    if (writer.entry(entry)) {
      const source = openNew(root, entry)
      try {
        for (const _ of matchFile({ source, likely: likely.of(entry), base, writer, scratch })) {
          if (writer.isFull) yield* await writer.segment()
          if (performance.now() - last < TURN_MS) continue
          await breath()
          stopIfAborted(signal)
          last = performance.now()
        }
        source.assertSame()
      } finally {
        source.close()
      }
    } else if (writer.isFull) yield* await writer.segment()
  }
  yield* await writer.segment()
  yield Buffer.from([END])
}

function openNew(root: string, entry: Delivered): ByteSource & { assertSame(): void } {
  const fd = open(root, entry)
  const source = fileSource(fd, entry.size)
  const assertSame = () => {
    const { size, mtimeNs } = fstatSync(fd, { bigint: true })
    if (Number(size) !== entry.size || mtimeNs !== entry.mtime) throw changed(entry.path, 'changed')
  }
  return { ...source, assertSame }
}

function open(root: string, entry: Delivered): number {
  try {
    return openToRead(entry.source ?? join(root, entry.path))
  } catch (cause) {
    throw unreadable(entry.path, cause)
  }
}
