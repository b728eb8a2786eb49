import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { randomBytes, randomSource } from '../shared/random.ts'

const run = promisify(execFile)

/** Bytes of a large release that are in small files; the rest is in files of `LARGE_FILE_BYTES` bytes. */
const SMALL_FILES_BYTES = 20e6
const LARGE_FILE_BYTES = 16e6
/** Share of the bytes that is text, and gzips to about a third: so the whole gzips by about a quarter. */
const TEXT_SHARE = 0.37

/**
 * Makes a git repository with a release: 2,000 files, a few of them executable and a few symbolic links, in a tree
 * four levels deep, sizes from 100 bytes up as in a source tree with some images; above 20 MB also large files.
 * The same parameters give the same content.
 */
export async function makeRepository(directory: string, bytes: number): Promise<void> {
  await makeFiles(directory, bytes)
  await writeFile(join(directory, 'version.ts'), 'export const version = 1\n')
  await git(directory, 'init', '-q', '-b', 'master')
  // Large releases would otherwise spend the whole first minute in git's compression.
  await git(directory, 'config', 'core.compression', '0')
  await git(directory, 'config', 'pack.window', '0')
  await git(directory, 'add', '-A')
  await commit(directory, 'First')
}

/** The files of that release. */
export async function makeFiles(directory: string, bytes: number, files = 2000): Promise<void> {
  const random = randomSource(bytes)
  const text = sourceText(random)
  const small = sizes(files, Math.min(bytes, SMALL_FILES_BYTES), random)
  const large = Array.from(
    { length: Math.round((bytes - Math.min(bytes, SMALL_FILES_BYTES)) / LARGE_FILE_BYTES) },
    () => LARGE_FILE_BYTES,
  )
  let texts = 0
  let all = 0
  for (const [i, size] of [...small, ...large].entries()) {
    const isText = texts < all * TEXT_SHARE
    all += size
    if (isText) texts += size
    const path = join(
      directory,
      size === LARGE_FILE_BYTES ? `assets/${i}` : place(i),
      `file-${i}.${isText ? 'ts' : 'png'}`,
    )
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, isText ? text(size) : randomBytes(size, random))
    if (i % 40 === 0) await chmod(path, 0o755)
    if (i % 100 === 0) await symlink(`file-${i}.${isText ? 'ts' : 'png'}`, join(dirname(path), `link-${i}`))
  }
}

/** The second deploy's change: one line, committed. */
export async function changeOneLine(directory: string): Promise<void> {
  const file = join(directory, 'version.ts')
  const version = Number(/\d+/.exec(await readFile(file, 'utf8'))?.[0])
  await writeFile(file, `export const version = ${version + 1}\n`)
  await commit(directory, 'Next')
}

const place = (i: number): string => `packages/part-${i % 7}/src/area-${i % 23}`

/** Sizes that sum to `total`: most small, some a hundred times that, as in real trees (log-normal). */
function sizes(count: number, total: number, random: () => number): number[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const raw = Array.from({ length: count }, () => Math.exp(1.2 * normal()))
  const scale = (total - 100 * count) / raw.reduce((sum, value) => sum + value, 0)
  return raw.map((value) => 100 + Math.round(value * scale))
}

/**
 * Text that gzips like code: lines of words, of which few are frequent and many are rare. Taken from a block larger
 * than what compressors look back over, so that none finds a passage twice.
 */
function sourceText(random: () => number): (size: number) => string {
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const word = () =>
    Array.from({ length: 2 + Math.floor(random() * 9) }, () => letters[Math.floor(random() * 26)]).join('')
  const words = Array.from({ length: 3000 }, word)
  const marks = [' = ', '(', ') ', '.', ', ', ' => ', ' + ', ': ']
  const line = () => {
    let text = '  '.repeat(Math.floor(random() * 4))
    for (let i = 0; i < 7; i++) {
      text += words[Math.floor(random() ** 3 * words.length)]
      text += marks[Math.floor(random() * marks.length)]
    }
    return `${text}\n`
  }
  const block = Array.from({ length: 200_000 }, line).join('')
  return (size) => {
    let text = ''
    while (text.length < size) {
      const from = Math.floor(random() * (block.length - 4000))
      text += block.slice(from, from + Math.min(4000, size - text.length))
    }
    return text
  }
}

async function commit(directory: string, message: string): Promise<void> {
  await git(directory, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-qam', message)
}

async function git(directory: string, ...args: string[]): Promise<void> {
  await run('git', ['-C', directory, ...args], { maxBuffer: 2 ** 26 })
}
