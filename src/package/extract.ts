import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Extract, extract } from 'tar-stream'
import type { Compression } from '../agent/contract.ts'
import { isSystemError, MurderError } from '../errors.ts'
import { entryFromHeader } from './archive-entry.ts'
import { expander } from './compress.ts'
import type { Destination } from './destination.ts'
import { endLength } from './header.ts'
import { reason, stopIfAborted } from './trouble.ts'

interface ExtractOptions {
  file: string
  compression: Compression
  sha256?: string
  signal?: AbortSignal
}

/**
 * Reads the package once: hashes it, expands it and makes its entries in `destination`. What was made is only to be
 * believed when this returns. Throws what `unpack` throws.
 */
export async function extractInto(
  destination: Destination,
  options: ExtractOptions,
): Promise<{ files: number; bytes: number }> {
  const { file, compression, sha256, signal } = options
  const source = createReadStream(file, { highWaterMark: 1 << 20 })
  const digest = new Digest()
  const expand = expander(compression)
  const ending = new Ending()
  const parser = extract()
  const extracted = makeEntries(parser, destination)
  const streams = expand ? [source, digest, expand, ending, parser] : [source, digest, ending, parser]
  try {
    await pipeline(streams as never, signal ? { signal } : {})
  } catch (cause) {
    stopIfAborted(signal)
    throw brokenPackage(file, cause)
  }
  if (!ending.isWhole()) throw brokenPackage(file, new Error('its end is missing'))
  if (sha256 !== undefined && digest.hex() !== sha256.toLowerCase())
    throw new MurderError('PACKAGE_WRONG', `${file} is not the package that was sent: its SHA-256 differs`, {
      cure: 'deploy again; if it happens twice, check the disk and memory of this server',
    })
  return extracted
}

/** Makes what the parser finds, in step with it; the first failure ends the parser. Returns a running count. */
function makeEntries(parser: Extract, destination: Destination): { files: number; bytes: number } {
  const count = { files: 0, bytes: 0 }
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (cause) {
      parser.destroy(cause as Error)
    }
  }
  parser.on('entry', (header, content, next) => {
    // It fails with what the parser fails with, and the pipeline listens to that.
    content.on('error', () => undefined)
    attempt(() => {
      const entry = entryFromHeader(header)
      if (entry.type === 'directory') destination.directory(entry)
      if (entry.type === 'symlink') destination.symlink(entry)
      if (entry.type === 'file') {
        destination.startFile(entry)
        count.files++
        count.bytes += entry.size
        content.on('data', (chunk) => attempt(() => destination.write(chunk as Buffer)))
        content.on('end', () => attempt(() => destination.endFile()))
      }
      content.on('end', () => next())
      content.resume()
    })
  })
  return count
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
