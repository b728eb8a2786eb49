import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Paths and what is there: a link's target after `-> `, `/` for a directory, else the content. */
export type Files = Map<string, string>

/** The content of a version, different in every file but one. */
export function contentOf(version: number): Files {
  const files: Files = new Map([
    ['version', String(version)],
    ['same', 'the same in every version'],
  ])
  const words = (name: string, length: number) =>
    createHash('sha256').update(`${version} ${name}`).digest('hex').repeat(length)
  for (let index = 0; index < 40; index++)
    files.set(`lib/part ${index % 7}/${index}.js`, words(`${index}`, 1 + (index % 5)))
  files.set('large', words('large', 4000))
  files.set('link', '-> lib/part 0/0.js')
  if (version % 2 === 1) files.set(`only in odd/${version}`, 'odd')
  return files
}

export function writeFiles(root: string, files: Files): void {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  for (const [name, content] of files) {
    const path = join(root, name)
    mkdirSync(dirname(path), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), path)
    else writeFileSync(path, content)
  }
}

/** All files and links below a directory. */
export function readFiles(root: string): Files {
  const files: Files = new Map()
  const look = (under: string) => {
    for (const name of readdirSync(join(root, under)).sort()) {
      const path = under === '' ? name : `${under}/${name}`
      const stats = lstatSync(join(root, path))
      if (stats.isDirectory()) look(path)
      else
        files.set(
          path,
          stats.isSymbolicLink()
            ? `-> ${readlinkSync(join(root, path))}`
            : readFileSync(join(root, path), 'latin1'),
        )
    }
  }
  if (existsSync(root)) look('')
  return files
}

/** How the one differs from the other, in words; undefined when it does not. */
export function difference(found: Files, wanted: Files): string | undefined {
  const missing = [...wanted.keys()].filter((path) => !found.has(path))
  const more = [...found.keys()].filter((path) => !wanted.has(path))
  const other = [...found].filter(([path, content]) => wanted.has(path) && wanted.get(path) !== content)
  const parts = [
    ['lacks', missing],
    ['also has', more],
    ['has other content in', other.map(([path]) => path)],
  ] as const
  const said = parts.flatMap(([verb, paths]) =>
    paths.length > 0 ? [`${verb} ${paths.slice(0, 5).join(', ')}`] : [],
  )
  return said.length > 0 ? said.join('; ') : undefined
}
