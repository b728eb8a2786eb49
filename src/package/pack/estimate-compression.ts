import { closeSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Entry } from '../../files/entry.ts'
import { openToRead } from '../../files/open-to-read.ts'
import { headerLength, headerOf, paddingOf } from '../format/header.ts'

const MAX_SAMPLES = 64
/** Half of gzip's window: four times as many bytes tell no more than a hundredth better, in four times the time. */
const SAMPLE_BYTES = 16 << 10

/**
 * How far gzip would shrink the package: compressed over uncompressed length, 1 when nothing would be gained. Takes 64 samples,
 * spread evenly over the package with its headers, and reads at most 1 MiB. A file that cannot be read is left out; packing will
 * report it.
 */
export function estimateCompression(root: string, entries: Entry[]): number {
  let plain = 0
  let compressed = 0
  for (const sample of samplesOf(root, entries)) {
    plain += sample.length
    compressed += gzipSync(sample, { level: 1 }).length
  }
  return plain === 0 ? 1 : Math.min(1, compressed / plain)
}

function* samplesOf(root: string, entries: Entry[]): Generator<Buffer> {
  const starts: number[] = []
  let total = 0
  for (const entry of entries) {
    starts.push(total)
    total += headerLength(entry) + entry.size + paddingOf(entry.size)
  }
  const stride = Math.max(SAMPLE_BYTES, Math.ceil(total / MAX_SAMPLES))
  let index = 0
  for (let start = 0; start < total; start += stride) {
    while (index + 1 < starts.length && (starts[index + 1] ?? 0) <= start) index++
    yield sampleFrom(root, entries, index, start - (starts[index] ?? 0))
  }
}

/** The package's bytes from `offset` after the start of entry `index` on, without tar's padding. */
function sampleFrom(root: string, entries: Entry[], index: number, offset: number): Buffer {
  const sample = Buffer.allocUnsafe(SAMPLE_BYTES)
  let filled = 0
  let skip = offset
  for (const entry of entries.slice(index, index + SAMPLE_BYTES / 512)) {
    const header = headerOf(entry)
    filled += header.copy(sample, filled, Math.min(skip, header.length))
    filled += readAt(root, entry, Math.max(0, skip - header.length), sample.subarray(filled))
    if (filled === SAMPLE_BYTES) break
    skip = 0
  }
  return sample.subarray(0, filled)
}

function readAt(root: string, entry: Entry, position: number, into: Buffer): number {
  const length = Math.min(into.length, entry.size - position)
  if (length <= 0) return 0
  let fd: number | undefined
  try {
    fd = openToRead(entry.source ?? join(root, entry.path))
    return readSync(fd, into, 0, length, position)
  } catch {
    return 0
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
