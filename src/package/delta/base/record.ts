import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { writeWhole } from '../../../files/write-whole.ts'
import { ByteStream } from '../../format/byte-stream.ts'
import { baseChanged } from '../format/errors.ts'
import type { Manifest } from '../format/manifest.ts'
import { readManifest, writeManifest } from '../format/manifest-file.ts'

const ID_LETTERS = 64

/**
 * Notes on a server what was delivered as a release: the id of its manifest in a line that a shell can read, then the manifest.
 * Removes notes of releases that are no longer in `releases`.
 */
export async function writeRecord(path: string, manifest: Manifest, releases: string): Promise<void> {
  const parts: Buffer[] = [Buffer.from(`${manifest.id}\n`)]
  for await (const part of writeManifest(manifest)) parts.push(part)
  const directory = dirname(path)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(directory)) {
    const isThere = statSync(join(releases, name), { throwIfNoEntry: false })?.isDirectory()
    if (!isThere && name !== basename(path)) rmSync(join(directory, name), { recursive: true, force: true })
  }
  writeWhole(path, Buffer.concat(parts), { mode: 0o600, fsync: true })
}

/** Throws BASE_CHANGED unless the note exists and its manifest has this `id`, or without `id` the one that the note names. */
export async function readRecord(path: string, id?: string): Promise<Manifest> {
  const stream = new ByteStream(createReadStream(path) as AsyncIterable<Buffer>, (why, cause) =>
    baseChanged(`the note of what was delivered cannot be used: ${why}`, cause),
  )
  try {
    const named = (await stream.bytes(ID_LETTERS + 1)).subarray(0, ID_LETTERS).toString()
    const manifest = await readManifest(stream)
    if (manifest.id === (id ?? named)) return manifest
  } catch (cause) {
    if ((cause as { code?: string }).code === 'BASE_CHANGED') throw cause
    throw baseChanged('the note of what was delivered cannot be read', cause)
  } finally {
    await stream.close()
  }
  throw baseChanged('the note of what was delivered is about another release')
}
