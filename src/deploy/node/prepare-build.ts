import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { MurderError } from '../../errors.ts'
import { draftBeside } from '../../files/draft.ts'
import { sha256OfFile } from '../../files/hash.ts'
import type { Build } from './build.ts'
import { fetchPackage } from './fetch-package.ts'

/** A build, compressed and ready to go to servers. */
export interface PreparedBuild {
  build: Build
  /** SHA-256 of the program, hex. */
  sha256: string
  /** The program, compressed with gzip, which every server has. */
  file: string
  compressedBytes: number
}

/** Uploads to many servers wait for this: a higher level takes three times as long for 2 % less. */
const GZIP_LEVEL = 6

const cacheDirectory = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'shipit-murder', 'node')

/** Gets a build and compresses it, once: later runs find it in the user's cache. Throws NO_BUILD. */
export async function prepareBuild(build: Build, signal: AbortSignal): Promise<PreparedBuild> {
  const sha256 = build.sha256 ?? (await sha256OfFile(build.path, signal))
  const file = join(cacheDirectory(), `${sha256}.gz`)
  try {
    if (!(await isWhole(file, sha256))) {
      await mkdir(cacheDirectory(), { recursive: true, mode: 0o700 })
      if (build.from === 'npm') {
        await fetchPackage(build, signal, (program) => compress(program, file, signal))
      } else await compress(build.path, file, signal)
    }
    return { build, sha256, file, compressedBytes: (await stat(file)).size }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof MurderError) throw cause
    throw new MurderError(
      'NO_BUILD',
      `Node.js for servers cannot be kept in ${file}: ${(cause as Error).message}`,
      {
        cure: 'free space there, or set XDG_CACHE_HOME to another directory',
        cause,
      },
    )
  }
}

/** Whether it was compressed before and is unchanged since. */
async function isWhole(file: string, sha256: string): Promise<boolean> {
  try {
    const hash = createHash('sha256')
    await pipeline(createReadStream(file), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) hash.update(chunk)
    })
    return hash.digest('hex') === sha256
  } catch {
    return false
  }
}

async function compress(program: string, file: string, signal: AbortSignal): Promise<void> {
  const draft = draftBeside(file)
  try {
    await pipeline(createReadStream(program), createGzip({ level: GZIP_LEVEL }), createWriteStream(draft), {
      signal,
    })
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}
