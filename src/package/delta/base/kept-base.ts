import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Entry } from '../../../files/entry.ts'
import { stopIfAborted } from '../../../files/file-errors.ts'
import { openToRead } from '../../../files/open-to-read.ts'
import { contentReader } from '../../pack/content.ts'
import { badSignature } from '../format/errors.ts'
import { type Delivered, type Manifest, manifestOf } from '../format/manifest.ts'
import { type ByteSource, fileSource } from '../match/byte-source.ts'
import type { EarlierRelease } from '../match/earlier-release.ts'
import { makeSignature, openSignature } from './signature.ts'

/** The deploy host keeps each release's signature in a directory named by its id; for the last release also the content. */
const SIGNATURE = 'signature'
/** The content of all files, one after the other. */
const CONTENT = 'content'
const MAX_BASES = 10
const DRAFT = '.new-'

export const signaturePath = (directory: string, id: string): string => join(directory, id, SIGNATURE)

/** Whether this base is kept in `directory`. */
export const isKept = (directory: string, id: string): boolean =>
  statSync(signaturePath(directory, id), { throwIfNoEntry: false })?.isFile() === true

/** Throws BAD_SIGNATURE, and what the file system throws. */
export async function openKept(directory: string, id: string): Promise<EarlierRelease & { close(): void }> {
  const signature = await openSignature(signaturePath(directory, id))
  const { manifest } = signature
  if (manifest.id !== id) {
    signature.close()
    throw badSignature('it is of another release')
  }
  return {
    manifest,
    blocksOf: (index) => signature.blocksOf(index),
    open: contentIn(join(directory, id, CONTENT), manifest),
    close: () => signature.close(),
  }
}

/** Finds the content of an entry in the file at `path`, if that exists and is whole. */
function contentIn(path: string, { entries }: Manifest): (index: number) => ByteSource | undefined {
  const starts: number[] = []
  let end = 0
  for (const { size } of entries) {
    starts.push(end)
    end += size
  }
  if (statSync(path, { throwIfNoEntry: false })?.size !== end) return () => undefined
  return (index) => {
    const [start, size] = [starts[index], entries[index]?.size]
    return start === undefined || size === undefined ? undefined : part(path, start, size)
  }
}

function part(path: string, start: number, size: number): ByteSource {
  const whole = fileSource(openToRead(path), start + size)
  return { size, read: (into, position) => whole.read(into, start + position), close: () => whole.close() }
}

interface KeepOptions {
  /** Where bases are kept. */
  directory: string
  root: string
  entries: readonly Entry[]
  /** Bytes of content that are kept. Of a larger release only the signature is kept. */
  contentLimit: number
  /** Called once the release's own files are no longer needed. */
  onRead?: () => void
  signal?: AbortSignal
}

/**
 * Keeps this release as a base of later ones, and removes bases that are too old. Throws FILE_CHANGED and what the file system
 * throws.
 */
export async function keepBase(options: KeepOptions): Promise<void> {
  const { directory, entries, contentLimit } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(directory))
    if (name.startsWith(DRAFT)) rmSync(join(directory, name), { recursive: true, force: true })
  const draft = join(directory, `${DRAFT}${process.pid}`)
  mkdirSync(draft, { mode: 0o700 })
  try {
    const size = entries.reduce((sum, each) => sum + each.size, 0)
    const keepsContent = size <= contentLimit
    const manifest = await read(options, keepsContent ? join(draft, CONTENT) : undefined)
    if (keepsContent) options.onRead?.()
    const open = keepsContent ? contentIn(join(draft, CONTENT), manifest) : undefined
    await writeSignature(join(draft, SIGNATURE), manifest, (entry, index) =>
      open ? open(index) : fileSource(openToRead(entry.source ?? join(options.root, entry.path)), entry.size),
    )
    if (!keepsContent) options.onRead?.()
    const place = join(directory, manifest.id)
    rmSync(place, { recursive: true, force: true })
    renameSync(draft, place)
    forget(directory, manifest.id)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Hashes all files, and concatenates them where their content is kept. */
async function read({ root, entries, signal }: KeepOptions, copy: string | undefined): Promise<Manifest> {
  const contentOf = contentReader(root)
  const delivered: Delivered[] = []
  const fd = copy === undefined ? undefined : openSync(copy, 'wx', 0o600)
  try {
    for (const entry of entries) {
      stopIfAborted(signal)
      if (entry.type !== 'file') {
        delivered.push(entry)
        continue
      }
      const hash = createHash('sha256')
      const content = contentOf(entry)
      for await (const chunk of Buffer.isBuffer(content) ? [content] : (content ?? [])) {
        stopIfAborted(signal)
        hash.update(chunk)
        if (fd !== undefined) writeAll(fd, chunk)
      }
      delivered.push({ ...entry, sha256: hash.digest('hex') })
    }
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  return manifestOf(delivered)
}

async function writeSignature(
  path: string,
  manifest: Manifest,
  open: (entry: Delivered, index: number) => ByteSource | undefined,
): Promise<void> {
  const fd = openSync(path, 'wx', 0o600)
  try {
    for await (const part of makeSignature(manifest, open)) writeAll(fd, part)
  } finally {
    closeSync(fd)
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
}

/** Keeps content only of the newest base. The bases are sorted by the times of their signatures. */
function forget(directory: string, newest: string): void {
  const timeOf = (name: string) =>
    statSync(join(directory, name, SIGNATURE), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const others = readdirSync(directory).filter((name) => name !== newest)
  others.sort((a, b) => timeOf(b) - timeOf(a))
  for (const [index, name] of others.entries()) {
    const tooOld = index >= MAX_BASES - 1
    rmSync(tooOld ? join(directory, name) : join(directory, name, CONTENT), { recursive: true, force: true })
  }
}
