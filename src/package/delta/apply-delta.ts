import { closeSync, readSync } from 'node:fs'
import { setImmediate as breath } from 'node:timers/promises'
import { MurderError } from '../../errors.ts'
import { shown } from '../../files/entry.ts'
import { stopIfAborted } from '../../files/file-errors.ts'
import { ContentHash } from '../../files/hash.ts'
import { openToRead } from '../../files/open-to-read.ts'
import type { Destination } from '../unpack/destination.ts'
import { BaseFiles } from './base-files.ts'
import { type Differences, readDelta, type Step } from './format/delta-reader.ts'
import { badDelta, baseChanged } from './format/errors.ts'
import { type Delivered, type Manifest, manifestOf } from './format/manifest.ts'

export interface ApplyOptions {
  /** The delta, perhaps while it still arrives. */
  parts: AsyncIterable<Buffer>
  /** Where the earlier release is. */
  from: string
  /** The manifest of what was delivered there. */
  base: Manifest
  /** Id of the new release, from a trusted source. */
  id: string
  signal?: AbortSignal
}

/** Longest time until timers and signals get their turn. */
const TURN_MS = 5
const CHUNK_BYTES = 256 << 10

/**
 * Makes a release from an earlier one and a delta. Neither is trusted: each file's SHA-256 is compared as soon as it is made, and
 * at the end the `id`, which covers all of them. Returns the manifest of what was delivered.
 *
 * Throws BASE_CHANGED when the earlier release is not what was delivered, BAD_DELTA, PACKAGE_WRONG for another release, and what
 * a Destination throws.
 */
export async function applyDelta(
  destination: Destination,
  options: ApplyOptions,
): Promise<{ files: number; bytes: number; manifest: Manifest }> {
  const { parts, base, id, signal } = options
  const files = new BaseFiles(options.from, base)
  const maker = new FileMaker(destination, files)
  const entries: Delivered[] = []
  const count = { files: 0, bytes: 0 }
  let last = performance.now()
  const turn = async () => {
    if (performance.now() - last < TURN_MS) return
    await breath()
    stopIfAborted(signal)
    last = performance.now()
  }
  try {
    for await (const step of readDelta(parts, base)) {
      if (step.do === 'entry') {
        entries.push(step.entry)
        if (step.entry.type === 'file') {
          count.files++
          count.bytes += step.entry.size
        }
      }
      for (const _ of maker.take(step)) await turn()
      await turn()
    }
  } finally {
    files.close()
  }
  const manifest = manifestOf(entries)
  if (manifest.id === id) return { ...count, manifest }
  throw new MurderError('PACKAGE_WRONG', 'the delta makes another release than the one that was sent', {
    cure: 'deploy again; if it happens twice, check the disk and memory of this server',
  })
}

/** A file that is being made. */
interface OpenFile {
  entry: Delivered
  hash: ContentHash
  missing: number
}

/** Makes the entries from the delta's steps. */
class FileMaker {
  readonly #destination: Destination
  readonly #base: BaseFiles
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #file: OpenFile | undefined

  constructor(destination: Destination, base: BaseFiles) {
    this.#destination = destination
    this.#base = base
  }

  /** Works in several turns of the event loop. */
  *take(step: Step): Generator<void> {
    if (step.do === 'entry') yield* this.#begin(step.entry, step.from)
    else if (step.do === 'literal') this.#write(step.bytes)
    else yield* this.#copy(step.file, step.offset, step.length, step.differences)
  }

  *#begin(entry: Delivered, from: number | undefined): Generator<void> {
    if (entry.type === 'directory') this.#destination.directory(entry)
    if (entry.type === 'symlink') this.#destination.symlink(entry)
    if (entry.type !== 'file') return
    if (entry.path === '.') throw badDelta('the release itself is a file')
    const isCopy = from !== undefined && entry.size > 0
    const isShared = this.#destination.startFile(entry, isCopy ? this.#base.pathOf(from) : undefined)
    this.#file = { entry, hash: new ContentHash(entry.size), missing: entry.size }
    if (isShared) yield* this.#readShared()
    else if (isCopy) yield* this.#copy(from, 0, entry.size, undefined)
    else if (entry.size === 0) this.#end()
  }

  *#copy(
    index: number,
    offset: number,
    length: number,
    differences: Differences | undefined,
  ): Generator<void> {
    let next = 0
    for (let done = 0; done < length; ) {
      const chunk = this.#chunk.subarray(0, Math.min(CHUNK_BYTES, length - done))
      this.#base.read(index, chunk, offset + done)
      if (differences) next = differ(chunk, done, differences, next)
      this.#write(chunk)
      done += chunk.length
      yield
    }
  }

  #write(bytes: Buffer): void {
    this.#destination.write(bytes)
    this.#add(bytes)
  }

  /** Hashes the file that shares its source's blocks, not the source, which may change. */
  *#readShared(): Generator<void> {
    const { entry, missing } = this.#file as OpenFile
    const fd = openToRead(`${this.#destination.root}/${entry.path}`)
    try {
      for (let left = missing; left > 0; ) {
        const length = readSync(fd, this.#chunk, 0, Math.min(CHUNK_BYTES, left), null)
        if (length === 0) throw baseChanged(`${shown(entry.path)} has become shorter`)
        this.#add(this.#chunk.subarray(0, length))
        left -= length
        yield
      }
    } finally {
      closeSync(fd)
    }
  }

  #add(bytes: Buffer): void {
    const file = this.#file as OpenFile
    file.hash.update(bytes)
    file.missing -= bytes.length
    if (file.missing === 0) this.#end()
  }

  #end(): void {
    const { entry, hash } = this.#file as OpenFile
    if (hash.digest() !== entry.sha256)
      throw baseChanged(`${shown(entry.path)} would get other content than was sent`)
    this.#destination.endFile()
    this.#file = undefined
  }
}

/** Applies the differences in the part of a copy that begins at `start`. Returns the index of the first difference after it. */
function differ(chunk: Buffer, start: number, { places, added }: Differences, first: number): number {
  let next = first
  for (; next < places.length; next++) {
    const at = (places[next] as number) - start
    if (at >= chunk.length) break
    chunk[at] = (chunk[at] as number) + (added[next] as number)
  }
  return next
}
