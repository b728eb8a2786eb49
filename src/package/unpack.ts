import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import type { Compression } from '../agent/contract.ts'
import { isSystemError, MurderError } from '../errors.ts'
import { entryFromHeader } from './archive-entry.ts'
import { expander } from './compress.ts'
import { Destination } from './destination.ts'
import { endLength } from './header.ts'
import { removeTree } from './remove-tree.ts'
import { reason, stopIfAborted, unwritable } from './trouble.ts'

export interface UnpackOptions {
  /** The package. */
  file: string
  /** The release directory: missing or empty before, whole after. */
  into: string
  compression: Compression
  /** SHA-256 of the package, hex; checked while it is read. */
  sha256?: string
  /** Content of the REVISION file, without its newline. */
  revision?: string
  signal?: AbortSignal
}

/**
 * Unpacks into a hidden directory beside `into` and renames that when all is there and the SHA-256 is right; on any
 * failure the hidden directory is removed and nothing else has been touched. Trusts nothing in the archive.
 * `bytes` counts the content of files.
 *
 * Throws RELEASE_EXISTS, PACKAGE_MISSING, PACKAGE_WRONG (SHA-256), PACKAGE_DAMAGED, PACKAGE_REFUSED (hostile),
 * DISK_FULL, NOT_WRITABLE, NO_ZSTD or INTERRUPTED.
 */
export async function unpack(options: UnpackOptions): Promise<{ files: number; bytes: number }> {
  const into = resolve(options.into)
  stopIfAborted(options.signal)
  assertFree(into)
  const partial = join(dirname(into), `.${basename(into)}.partial`)
  let destination: Destination | undefined
  try {
    mkdirSync(dirname(into), { recursive: true })
    removeTree(partial)
    destination = new Destination(partial)
    const unpacked = await extractInto(destination, options)
    if (options.revision !== undefined) destination.revision(options.revision)
    destination.finish()
    stopIfAborted(options.signal)
    renameSync(partial, into)
    return unpacked
  } catch (cause) {
    destination?.close()
    if (destination) removeQuietly(partial)
    throw unwritable(into, cause)
  }
}

/** What went wrong before matters more than a leftover, and the next unpacking removes that. */
function removeQuietly(path: string): void {
  try {
    removeTree(path)
  } catch {}
}

async function extractInto(destination: Destination, options: UnpackOptions) {
  const digest = new Digest()
  const parser = extract()
  const unpacked = { files: 0, bytes: 0 }
  parser.on('entry', (header: Header, content, next) => {
    const attempt = (work: () => void) => {
      try {
        work()
      } catch (cause) {
        parser.destroy(cause as Error)
      }
    }
    // The parser fails with the same error and is listened to by the pipeline.
    content.on('error', () => undefined)
    attempt(() => {
      const entry = entryFromHeader(header)
      if (entry.type === 'directory') destination.directory(entry)
      if (entry.type === 'symlink') destination.symlink(entry)
      if (entry.type === 'file') {
        destination.startFile(entry)
        unpacked.files++
        unpacked.bytes += entry.size
        content.on('data', (chunk) => attempt(() => destination.write(chunk as Buffer)))
      }
      content.on('end', () =>
        attempt(() => {
          if (entry.type === 'file') destination.endFile()
          next()
        }),
      )
      content.resume()
    })
  })
  const expand = expander(options.compression)
  const source = createReadStream(options.file, { highWaterMark: 1 << 20 })
  const ending = new Ending()
  const streams = expand ? [source, digest, expand, ending, parser] : [source, digest, ending, parser]
  try {
    await pipeline(streams as never, options.signal ? { signal: options.signal } : {})
  } catch (cause) {
    stopIfAborted(options.signal)
    throw brokenPackage(options.file, cause)
  }
  if (!ending.isWhole()) throw brokenPackage(options.file, new Error('its end is missing'))
  if (options.sha256 !== undefined && digest.hex() !== options.sha256.toLowerCase())
    throw new MurderError(
      'PACKAGE_WRONG',
      `${options.file} is not the package that was sent: its SHA-256 differs`,
      {
        cure: 'deploy again; if it happens twice, check the disk and memory of this server',
      },
    )
  return unpacked
}

/** Hashes what passes through. */
class Digest extends Transform {
  readonly #hash = createHash('sha256')

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk)
    done(null, chunk)
  }

  hex(): string {
    return this.#hash.digest('hex')
  }
}

/** Watches for the two empty blocks at the end, without which an archive cut between two entries would look whole. */
class Ending extends Transform {
  #tail = Buffer.alloc(0)

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-endLength)]).subarray(-endLength)
    done(null, chunk)
  }

  isWhole(): boolean {
    return this.#tail.length === endLength && this.#tail.every((byte) => byte === 0)
  }
}

function brokenPackage(file: string, cause: unknown): MurderError {
  if (cause instanceof MurderError) return cause
  if (isSystemError(cause, 'ENOENT', 'EACCES', 'EISDIR', 'EIO'))
    return new MurderError('PACKAGE_MISSING', `cannot read the package ${file}: ${reason(cause)}`, {
      cure: 'deploy again',
      cause,
    })
  return new MurderError('PACKAGE_DAMAGED', `the package ${file} is damaged: ${reason(cause)}`, {
    cure: 'deploy again; check that both ends use the same compression',
    cause,
  })
}

function assertFree(into: string): void {
  let what: string
  try {
    const stats = lstatSync(into)
    if (stats.isDirectory() && readdirSync(into).length === 0) return
    what = stats.isDirectory() ? 'is there already and not empty' : 'is there already and not a directory'
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return
    throw unwritable(into, cause)
  }
  throw new MurderError('RELEASE_EXISTS', `${into} ${what}`, {
    cure: 'nothing was touched; remove it, or unpack into another directory',
  })
}
