import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { pack as tarPack } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { END_OF_FRAMES, packFrame } from '../../../../src/package/format/frame.ts'
import { unpack } from '../../../../src/package/unpack/unpack.ts'
import type { Compression } from '../../../../src/protocol/order.ts'
import { plant, survey, temporary } from '../trees.ts'

type Item = Record<string, unknown> & { name: string; type?: string; content?: string }

/** An archive of whatever is asked for, however wrong. */
async function archive(...items: Item[]): Promise<Buffer> {
  const packing = tarPack()
  for (const { content, ...header } of items)
    packing.entry({ mode: 0o644, mtime: new Date(0), ...header } as never, (content ?? '') as never)
  packing.finalize()
  return await buffer(packing as unknown as NodeJS.ReadableStream)
}

/** Unpacks below a place with a witness beside it, and tells what became of both. */
async function attempt(bytes: Buffer, compression: Compression = 'none') {
  const place = plant(temporary(), { 'outside/witness': 'untouched' })
  const file = join(place, 'package')
  writeFileSync(file, bytes)
  const look = () => [...readdirSync(place), ...survey(join(place, 'outside'))]
  const before = look()
  const failure = await unpack({ file, into: join(place, 'into'), compression }).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { failure, before, after: look(), into: join(place, 'into') }
}

const hostile: Record<string, Item[]> = {
  'an absolute path': [{ name: '/tmp/murder-absolute', content: 'x' }],
  'a path upwards': [{ name: '../outside/witness', content: 'x' }],
  'a path upwards inside': [
    { name: 'a', type: 'directory' },
    { name: 'a/../../outside/witness', content: 'x' },
  ],
  'a directory upwards': [{ name: '..', type: 'directory' }],
  'a path with an empty part': [
    { name: 'a', type: 'directory' },
    { name: 'a//b', content: 'x' },
  ],
  'a path with a dot': [{ name: './a', content: 'x' }],
  'a NUL in a name': [{ name: 'x', pax: { path: 'a\0b' }, content: 'x' }],
  'a NUL in a link target': [{ name: 'x', type: 'symlink', linkname: 'y', pax: { linkpath: 'a\0b' } }],
  'an empty link target': [{ name: 'x', type: 'symlink' }],
  'a file through a symlink': [
    { name: 'link', type: 'symlink', linkname: '../outside' },
    { name: 'link/witness', content: 'x' },
  ],
  'a file through a symlink further down': [
    { name: 'a', type: 'directory' },
    { name: 'a/link', type: 'symlink', linkname: '../../outside' },
    { name: 'a/link/b/c', content: 'x' },
  ],
  'a file over a symlink': [
    { name: 'link', type: 'symlink', linkname: '../outside/witness' },
    { name: 'link', content: 'x' },
  ],
  'a directory over a symlink': [
    { name: 'link', type: 'symlink', linkname: '../outside' },
    { name: 'link', type: 'directory', mode: 0o777 },
  ],
  'a symlink over a directory': [
    { name: 'dir', type: 'directory' },
    { name: 'dir', type: 'symlink', linkname: '../outside' },
  ],
  'a file twice': [
    { name: 'a', content: 'x' },
    { name: 'a', content: 'y' },
  ],
  'a directory twice': [
    { name: 'a', type: 'directory' },
    { name: 'a/', type: 'directory' },
  ],
  'the release twice': [
    { name: '.', type: 'directory' },
    { name: '.', type: 'directory' },
  ],
  'the release as a symlink': [{ name: '.', type: 'symlink', linkname: '../outside' }],
  'the release as a file': [{ name: '.', content: 'x' }],
  'a file where a directory is needed': [
    { name: 'a', content: 'x' },
    { name: 'a/b', content: 'x' },
  ],
  'a file before its directory': [{ name: 'a/b', content: 'x' }],
  'a hard link outwards': [{ name: 'a', type: 'link', linkname: '../outside/witness' }],
  'a character device': [{ name: 'a', type: 'character-device', devmajor: 1, devminor: 3 }],
  'a block device': [{ name: 'a', type: 'block-device', devmajor: 8 }],
  'a fifo': [{ name: 'a', type: 'fifo' }],
  'a contiguous file': [{ name: 'a', type: 'contiguous-file', content: 'x' }],
  'an impossible time': [{ name: 'a', content: 'x', pax: { mtime: 'soon' } }],
  'a path too long for any system': [{ name: 'x', content: 'x', pax: { path: 'a'.repeat(5000) } }],
}

describe('unpack refuses and touches nothing with', () => {
  it.each(Object.entries(hostile))('%s', async (_, items) => {
    const { failure, before, after } = await attempt(await archive(...items))
    expect(failure).toMatchObject({ code: 'PACKAGE_REFUSED', cure: expect.any(String) })
    expect((failure as Error).message).not.toMatch(/\n/)
    expect(after).toEqual(before)
    expect(existsSync('/tmp/murder-absolute')).toBe(false)
  })

  it('a REVISION that is a directory', async () => {
    const place = temporary()
    writeFileSync(join(place, 'p'), await archive({ name: 'REVISION', type: 'directory' }))
    await expect(
      unpack({ file: join(place, 'p'), into: join(place, 'into'), compression: 'none', revision: 'x' }),
    ).rejects.toMatchObject({ code: 'PACKAGE_REFUSED' })
    expect(readdirSync(place)).toEqual(['p'])
  })

  const whole = () => archive({ name: 'a', content: 'x'.repeat(5000) })
  const frames = async () => Buffer.concat([await packFrame(await whole(), 4), END_OF_FRAMES])
  const broken: Record<string, [() => Promise<Buffer>, Compression]> = {
    'an archive that is cut': [async () => (await whole()).subarray(0, 3000), 'none'],
    'an archive that is cut after a header': [async () => (await whole()).subarray(0, 512), 'none'],
    'an archive that is cut after its last entry': [
      async () => (await whole()).subarray(0, 512 + 5120),
      'none',
    ],
    nothing: [async () => Buffer.alloc(0), 'none'],
    'no archive': [async () => Buffer.from('no archive, but long enough'.repeat(100)), 'none'],
    'an archive that should be compressed': [whole, 'gzip'],
    'a compressed archive that is cut': [async () => gzipSync(await whole()).subarray(0, 70), 'gzip'],
    'a compressed archive that should not be': [async () => gzipSync(await whole()), 'none'],
    'an archive that should be brotli': [whole, 'brotli'],
    'brotli that is cut in a frame': [async () => (await frames()).subarray(0, 30), 'brotli'],
    'brotli that is cut after a frame': [async () => (await frames()).subarray(0, -1), 'brotli'],
    'brotli with more after its end': [
      async () => Buffer.concat([await frames(), Buffer.from('x')]),
      'brotli',
    ],
    'brotli with a frame of a terabyte': [
      async () => Buffer.from([2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]),
      'brotli',
    ],
    'brotli with a frame of five megabytes': [
      async () => Buffer.concat([await packFrame(Buffer.alloc(5 << 20), 4), END_OF_FRAMES]),
      'brotli',
    ],
    'brotli with a frame that expands to much more than it says': [
      async () => {
        const packed = brotliCompressSync(Buffer.alloc(4 << 20))
        return Buffer.concat([Buffer.from([2, 100, packed.length]), packed, END_OF_FRAMES])
      },
      'brotli',
    ],
    'a broken header': [async () => (await whole()).fill(0x39, 124, 135), 'none'],
  }
  it.each(Object.entries(broken))('%s', async (_, [bytes, compression]) => {
    const { failure, before, after } = await attempt(await bytes(), compression)
    expect(failure).toMatchObject({ code: 'PACKAGE_DAMAGED' })
    expect(after).toEqual(before)
  })
})

describe('unpack', () => {
  it('keeps symlinks that point outside, as links', async () => {
    const items = [
      { name: 'out', type: 'symlink', linkname: '../outside/witness' },
      { name: 'etc', type: 'symlink', linkname: '/etc/passwd' },
    ]
    const { failure, into } = await attempt(await archive(...items))
    expect(failure).toBeUndefined()
    expect(survey(into).filter((line) => line.includes('->'))).toEqual([
      '"etc" 777 0 -> /etc/passwd',
      '"out" 777 0 -> ../outside/witness',
    ])
  })

  it('follows no symlink at the place where it works', async () => {
    const place = plant(temporary(), { 'outside/witness': 'untouched' })
    writeFileSync(join(place, 'p'), await archive({ name: 'witness', content: 'x' }))
    symlinkSync('outside', join(place, '.into.partial'))
    await unpack({ file: join(place, 'p'), into: join(place, 'into'), compression: 'none' })
    expect(readFileSync(join(place, 'outside', 'witness'), 'utf8')).toBe('untouched')
    symlinkSync('outside', join(place, 'link'))
    await expect(
      unpack({ file: join(place, 'p'), into: join(place, 'link'), compression: 'none' }),
    ).rejects.toMatchObject({ code: 'RELEASE_EXISTS' })
  })

  it('publishes nothing when the SHA-256 is another, the package is missing or it is aborted', async () => {
    const place = temporary()
    const file = join(place, 'p')
    writeFileSync(file, await archive({ name: 'a', content: 'x' }))
    const options = { file, into: join(place, 'into'), compression: 'none' as const }
    await expect(unpack({ ...options, sha256: 'ab'.repeat(32) })).rejects.toMatchObject({
      code: 'PACKAGE_WRONG',
    })
    // The second path leads through a file: whatever the system says, it is no damage.
    for (const missing of [join(place, 'q'), join(file, 'q')])
      await expect(unpack({ ...options, file: missing })).rejects.toMatchObject({ code: 'PACKAGE_MISSING' })
    await expect(unpack({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
    const controller = new AbortController()
    const running = unpack({ ...options, signal: controller.signal })
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(readdirSync(place)).toEqual(['p'])
  })

  it('says so when the parent of the release is a file', async () => {
    const place = plant(temporary(), { file: '' })
    writeFileSync(join(place, 'p'), await archive({ name: 'a', content: 'x' }))
    await expect(
      unpack({ file: join(place, 'p'), into: join(place, 'file', 'into'), compression: 'none' }),
    ).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
  })
})
