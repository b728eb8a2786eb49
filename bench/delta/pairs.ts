import { execFileSync } from 'node:child_process'
import { appendFile, cp, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { makeFiles } from '../deploy/release.ts'
import { randomBytes, randomSource } from '../shared/random.ts'

/** A release and the next one. */
export interface Pair {
  name: string
  /** The most bytes into one server, of rsync's. */
  must?: number
  /** Makes the first release in an empty directory. */
  make(root: string): Promise<void>
  /** Makes the next one of it. */
  change(root: string): Promise<void>
}

export interface PairOptions {
  /** Bytes of the large file. */
  large: number
  /** Bytes of the image. */
  image: number
  /** Directories of two patch releases of a package with an executable, and of two major releases of a package. */
  native?: [string, string] | undefined
  upgrade?: [string, string] | undefined
}

const MB = 1e6
const PAGE_BYTES = 4096

/** All pairs that can be made here. The same options make the same bytes, but for what depends on versions of programs. */
export function pairsOf({ large, image, native, upgrade }: PairOptions): Pair[] {
  const random = randomSource(17)
  const bytes = (size: number) => randomBytes(size, random)
  const tree = (root: string) => makeFiles(root, 7 * MB)
  const blob = (root: string) => writeFile(join(root, 'large.bin'), bytes(large))
  const edit = (name: string, how: (content: Buffer) => Buffer) => async (root: string) => {
    const path = join(root, name)
    await writeFile(path, how(await readFile(path)))
  }
  const replace = ([from, to]: [string, string]) => ({
    make: (root: string) => cp(from, root, { recursive: true }),
    change: async (root: string) => {
      for (const name of await readdir(root)) await rm(join(root, name), { recursive: true })
      await cp(to, root, { recursive: true })
    },
  })
  return [
    {
      name: 'one line in 2,000 files',
      must: 0.6,
      make: tree,
      change: async (root) => appendFile(await someText(root), '// one line\n'),
    },
    { name: 'nothing changed', must: 0.4, make: tree, change: async () => {} },
    {
      name: '4 KiB in the middle',
      must: 1.1,
      make: blob,
      change: edit('large.bin', (content) => {
        bytes(PAGE_BYTES).copy(content, Math.floor(content.length / 2))
        return content
      }),
    },
    {
      name: '10 bytes inserted',
      must: 1.1,
      make: blob,
      change: edit('large.bin', (content) =>
        Buffer.concat([content.subarray(0, 1000), bytes(10), content.subarray(1000)]),
      ),
    },
    {
      name: 'renamed bundle',
      must: 0.02,
      make: (root) => writeFile(join(root, 'app-3f2a9c1b.js'), texts(large / 2, random)),
      change: (root) => rename(join(root, 'app-3f2a9c1b.js'), join(root, 'app-77b0d2e4.js')),
    },
    {
      name: 'moved directory',
      must: 0.02,
      make: (root) => makeFiles(join(root, 'lib'), 6.4 * MB, 1000),
      change: (root) => rename(join(root, 'lib'), join(root, 'vendor')),
    },
    { name: 'rebuilt bundle', must: 0.8, make: (root) => bundle(root, 1), change: (root) => bundle(root, 2) },
    ...(native ? [{ name: 'native executable', must: 0.8, ...replace(native) }] : []),
    {
      name: 'tar, one member changed',
      must: 1.1,
      make: (root) => archive(root, 'tar'),
      change: (root) => archive(root, 'tar', true),
    },
    {
      name: 'zip, one member changed',
      must: 1.1,
      make: (root) => archive(root, 'zip'),
      change: (root) => archive(root, 'zip', true),
    },
    {
      name: 'SQLite, 1 % of rows',
      must: 1.1,
      make: (root) => sqlite(root, MAKE_ROWS),
      change: (root) => sqlite(root, CHANGE_ROWS),
    },
    {
      name: 'scattered pages',
      must: 1.1,
      make: async (root) => {
        // In parts, because a buffer has a limit.
        for (let left = image; left > 0; left -= 64 * MB)
          await appendFile(join(root, 'disk.img'), bytes(Math.min(left, 64 * MB)))
      },
      change: (root) => scatter(join(root, 'disk.img'), image, bytes, random),
    },
    ...(upgrade ? [{ name: 'major upgrade', ...replace(upgrade) }] : []),
  ]
}

/** A source file in the middle of what `makeFiles` has made. */
async function someText(root: string): Promise<string> {
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.ts')).sort()
  return join(root, names[Math.floor(names.length / 2)] ?? '')
}

/** Lines like those of a program. */
function texts(size: number, random: () => number): string {
  const word = () => Math.floor(random() ** 3 * 46_656).toString(36)
  const line = () => `function ${word()}(${word()}, ${word()}) { return ${word()}.${word()}(${word()}) }\n`
  const block = Array.from({ length: 100_000 }, line).join('')
  let text = ''
  while (text.length < size) text += block.slice(Math.floor(random() * 1000), size - text.length)
  return text
}

/** Dependencies of this project as one minified file with its source map, and one line of the program that loads them. */
async function bundle(root: string, version: number): Promise<void> {
  const modules = [
    'zod',
    'lodash',
    'moment',
    'highlight.js',
    'axe-core',
    'web-streams-polyfill',
    'uplot',
    'ignore',
  ]
  const lines = modules.map((name, index) => `import * as m${index} from '${name}'; console.log(m${index})`)
  await build({
    stdin: {
      contents: `console.log('version ${version}')\n${lines.join('\n')}`,
      resolveDir: process.cwd(),
    },
    outfile: join(root, 'app.js'),
    bundle: true,
    minify: true,
    sourcemap: true,
    platform: 'node',
    logLevel: 'error',
  })
}

/** An archive of 300 files. `changed`: one of them has another content and length. */
async function archive(root: string, kind: 'tar' | 'zip', changed = false): Promise<void> {
  const content = join(root, 'content')
  await mkdir(content)
  await makeFiles(content, 20 * MB, 300)
  if (changed) await appendFile(await someText(content), 'one more line\n'.repeat(90))
  const code = kind === 'tar' ? TAR : ZIP
  execFileSync('python3', ['-c', code, content, join(root, `files.${kind}`)])
  await rm(content, { recursive: true })
}

const LIST = `
import os, sys
source, output = sys.argv[1:]
names = sorted(os.path.relpath(os.path.join(at, name), source) for at, _, names in os.walk(source) for name in names)
paths = [(name, os.path.join(source, name)) for name in names if not os.path.islink(os.path.join(source, name))]
`
const TAR = `${LIST}
import tarfile
def plain(info):
    info.mtime = 0
    return info
with tarfile.open(output, 'w') as tar:
    for name, path in paths: tar.add(path, name, filter=plain)
`
const ZIP = `${LIST}
import zipfile
with zipfile.ZipFile(output, 'w', zipfile.ZIP_DEFLATED) as zip:
    for name, path in paths: zip.writestr(zipfile.ZipInfo(name), open(path, 'rb').read(), zipfile.ZIP_DEFLATED)
`

const sqlite = async (root: string, code: string): Promise<void> =>
  void execFileSync('python3', ['-c', code, join(root, 'app.db')])

const MAKE_ROWS = `
import random, sqlite3, sys
random.seed(1)
db = sqlite3.connect(sys.argv[1])
db.execute('create table users (id integer primary key, name text, mail text, score integer, data blob)')
word = lambda n: ''.join(random.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(n))
row = lambda i: (i, word(8), word(12), random.randrange(1000), random.randbytes(random.randrange(50, 400)))
db.executemany('insert into users values (?, ?, ?, ?, ?)', (row(i) for i in range(100000)))
db.execute('create index by_name on users (name)')
db.commit()
`
const CHANGE_ROWS = `
import random, sqlite3, sys
random.seed(2)
db = sqlite3.connect(sys.argv[1])
for i in random.sample(range(100000), 1000):
    db.execute('update users set score = ?, data = ? where id = ?', (random.randrange(1000), random.randbytes(200), i))
db.commit()
`

const SCATTERED = 200

async function scatter(
  path: string,
  size: number,
  bytes: (size: number) => Buffer,
  random: () => number,
): Promise<void> {
  const file = await open(path, 'r+')
  try {
    for (let i = 0; i < SCATTERED; i++) {
      const page = Math.floor((random() * size) / PAGE_BYTES)
      await file.write(bytes(PAGE_BYTES), 0, PAGE_BYTES, page * PAGE_BYTES)
    }
  } finally {
    await file.close()
  }
}
