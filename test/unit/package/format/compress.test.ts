import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { compress, expander, zstdAvailable } from '../../../../src/package/format/compress.ts'
import type { Compression } from '../../../../src/protocol/order.ts'

const formats: Compression[] = ['brotli', 'gzip', ...(zstdAvailable() ? (['zstd'] as const) : [])]
const MEMBER = 4 << 20

/** Half text, half bytes that do not compress. */
const content = (length: number) => {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = at & 4096 ? (at * 2654435761) >>> 13 : at & 31
  return bytes
}

async function* inParts(bytes: Buffer, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function collect(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const part of parts) all.push(Buffer.from(part))
  return Buffer.concat(all)
}

describe.each(formats)('%s', (format) => {
  test.each([MEMBER, MEMBER + 1, 3 * MEMBER, 3 * MEMBER - 1])(
    '%i bytes come out again, however they are cut',
    async (length) => {
      const plain = content(length)
      const packed = await collect(compress(inParts(plain, 100_000), format))
      for (const cut of [packed.length, 1000, 65_536, 262_144]) {
        const out: Buffer[] = []
        const take = async (parts: AsyncIterable<Buffer>) => void out.push(await collect(parts))
        await pipeline(inParts(packed, cut), expander(format) as never, take as never)
        expect(out[0]?.equals(plain)).toBe(true)
      }
    },
  )
})

const aWindowTooLarge = async () => {
  const { createZstdCompress, constants } = zlib as unknown as {
    createZstdCompress: (options: object) => NodeJS.ReadWriteStream
    constants: { ZSTD_c_windowLog: number }
  }
  const expanded = async (windowLog: number) => {
    // Of a length that it does not know beforehand, so that the frame names its window.
    const packing = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } })
    packing.write(content(1000))
    packing.end(content(1000))
    const packed = await collect(packing as unknown as AsyncIterable<Buffer>)
    let length = 0
    const take = async (parts: AsyncIterable<Buffer>) => {
      length = (await collect(parts)).length
    }
    await pipeline(inParts(packed, 1000), expander('zstd') as never, take as never)
    return length
  }
  expect(await expanded(22)).toBe(2000)
  await expect(expanded(23)).rejects.toThrow('too much memory')
}

if (zstdAvailable()) test('a zstd frame that wants more memory than ours is refused', aWindowTooLarge)
