import { execFile, spawnSync } from 'node:child_process'
import { open, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What makes one file of another, or a file smaller, without any deploy around it. */
export const orientations = ['whole', 'zstd', 'xdelta3', 'bsdiff', 'zsync'] as const
export type Orientation = (typeof orientations)[number]

const PROGRAMS: Record<Orientation, string> = {
  whole: 'zstd',
  zstd: 'zstd',
  xdelta3: 'xdelta3',
  bsdiff: 'bsdiff',
  zsync: 'zsyncmake',
}
/** bsdiff needs 17 times as much memory, and minutes. */
const MAX_BSDIFF_BYTES = 64e6

/** Those that are installed. */
export const installed = (): Orientation[] =>
  orientations.filter((name) => !spawnSync(PROGRAMS[name], ['--version']).error)

/** A release as one file: a tar of all, with the same times. */
export async function asFile(root: string, file: string): Promise<string> {
  await run('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '-C', root, '-cf', file, '.'])
  return file
}

/** Bytes that each takes from the one file to the other; undefined where it is not for files of that size. */
export async function orient(
  name: Orientation,
  { old, next, scratch }: { old: string; next: string; scratch: string },
): Promise<number | undefined> {
  const out = join(scratch, `out-${name}`)
  const { size } = await stat(next)
  if (name === 'bsdiff' && size > MAX_BSDIFF_BYTES) return undefined
  try {
    if (name === 'zsync') return await zsync(old, next, scratch)
    await run(...commandOf(name, old, next, out))
    return (await stat(out)).size
  } finally {
    await rm(out, { force: true })
  }
}

function commandOf(name: Orientation, old: string, next: string, out: string): [string, string[]] {
  switch (name) {
    case 'zstd':
      return ['zstd', ['-q', '-f', '-3', '--long=31', `--patch-from=${old}`, next, '-o', out]]
    case 'xdelta3':
      return ['xdelta3', ['-q', '-f', '-e', '-B', String(2 ** 30), '-s', old, next, out]]
    case 'bsdiff':
      return ['bsdiff', [old, next, out]]
    default:
      return ['zstd', ['-q', '-f', '-3', '-T1', next, '-o', out]]
  }
}

const BOUNDARY = 'ranges'
/** Where it does not understand an answer it asks again and again. */
const ZSYNC_TIMEOUT_MS = 120_000

/** Bytes of the control file and of the ranges that zsync asks for. */
async function zsync(old: string, next: string, scratch: string): Promise<number> {
  const control = join(scratch, 'next.zsync')
  const out = join(scratch, 'zsync-out')
  const { size } = await stat(next)
  let sent = 0
  const server = createServer(async ({ url, headers: { range } }, response) => {
    const file = url === '/control' ? control : next
    const asked = [...(range ?? '').matchAll(/(\d+)-(\d+)/g)].map(([, from, to]) => [
      Number(from),
      Number(to) + 1,
    ])
    const parts = asked.length > 0 ? asked : [[0, (await stat(file)).size]]
    const body: Buffer[] = []
    for (const [start = 0, end = 0] of parts) {
      const content = await bytesOf(file, start, end)
      sent += content.length
      if (parts.length > 1)
        body.push(Buffer.from(`\r\n--${BOUNDARY}\r\n${rangeOf(start, end, size)}\r\n\r\n`))
      body.push(content)
    }
    if (parts.length > 1) body.push(Buffer.from(`\r\n--${BOUNDARY}--\r\n`))
    // zsync knows no chunks.
    const head = [`content-length: ${body.reduce((sum, { length }) => sum + length, 0)}`]
    if (parts.length > 1) head.push(`content-type: multipart/byteranges; boundary=${BOUNDARY}`)
    else if (asked[0]) head.push(rangeOf(asked[0][0] ?? 0, asked[0][1] ?? 0, size))
    response.writeHead(
      asked.length > 0 ? 206 : 200,
      head.flatMap((line) => line.split(': ')),
    )
    response.end(Buffer.concat(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const at = `http://127.0.0.1:${port}`
  try {
    await run('zsyncmake', ['-e', '-u', `${at}/content`, '-o', control, next])
    const options = { cwd: scratch, timeout: ZSYNC_TIMEOUT_MS }
    await run('zsync', ['-q', '-i', old, '-o', out, `${at}/control`], options)
    await run('cmp', [out, next])
    return sent
  } finally {
    server.close()
    server.closeAllConnections()
    for (const file of [control, out]) await rm(file, { force: true })
  }
}

const rangeOf = (start: number, end: number, size: number) =>
  `content-range: bytes ${start}-${end - 1}/${size}`

async function bytesOf(path: string, start: number, end: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const bytes = Buffer.alloc(end - start)
    await file.read(bytes, 0, bytes.length, start)
    return bytes
  } finally {
    await file.close()
  }
}
