import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Text of every source file by its path, such as `src/text/table.ts`. */
export type Sources = ReadonlyMap<string, string>

/** What the table says of one file or folder of `src`. */
export interface Row {
  path: string
  /** What it may use; undefined for a part of the folder above, which may use what that one may. */
  uses: readonly string[] | undefined
}

export interface Import {
  from: string
  to: string
}

export function readSources(): Sources {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => posix.join('src', file))
  return new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
}

/** The rows of `src` in the table under "Folders", whose last column is "may use". */
export function readTable(): Row[] {
  const [, section = ''] = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split('\n## Folders\n')
  return [...section.matchAll(/^\| `(src\/[^`]+)` \|[^|]*\|([^|]*)\|$/gm)].map(
    ([, path = '', cell = '']) => ({
      path: path.replace(/\/$/, ''),
      uses: usesOf(cell.trim()),
    }),
  )
}

function usesOf(cell: string): string[] | undefined {
  if (cell === '') return undefined
  return cell === 'nothing' ? [] : cell.split(', ').map((name) => `src/${name}`)
}

/** Imports of files of this project: static, dynamic and for types only, and exports from another file. */
export function importsOf(sources: Sources): Import[] {
  const clause = /\b(?:from|import)\s*\(?\s*(['"`])(\.[^'"`]*)\1/g
  return [...sources].flatMap(([from, text]) =>
    [...text.matchAll(clause)].map(([, , to = '']) => ({ from, to: posix.join(posix.dirname(from), to) })),
  )
}

/** All that the table and the imports do not agree on, in lines for people. */
export function disagreements(rows: readonly Row[], sources: Sources): string[] {
  const used = new Set<string>()
  const problems: string[] = []
  for (const { from, to } of importsOf(sources)) {
    const [user, target] = [rowOf(rows, from), rowOf(rows, to)]
    if (!user || !target || user === target) continue
    const permission = user.uses?.find((path) => isIn(target.path, path))
    if (permission) used.add(`${user.path} ${permission}`)
    else problems.push(`${from} imports ${to}, which ${user.path} may not`)
  }
  const folders = new Set(
    [...sources.keys()].map((file) => posix.dirname(file)).filter((path) => path !== 'src'),
  )
  const top = [...sources.keys()].filter((file) => posix.dirname(file) === 'src')
  const paths = new Set(rows.map(({ path }) => path))
  for (const path of [...folders, ...top]) if (!paths.has(path)) problems.push(`${path} is not in the table`)
  for (const { path, uses = [] } of rows) {
    if (![...sources.keys()].some((file) => isIn(file, path))) problems.push(`${path} does not exist`)
    for (const use of uses) if (!used.has(`${path} ${use}`)) problems.push(`${path} does not use ${use}`)
  }
  return problems
}

const isIn = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)

/** The row whose permissions count for a file. */
function rowOf(rows: readonly Row[], file: string): Row | undefined {
  return rows
    .filter(({ path, uses }) => uses && isIn(file, path))
    .reduce<Row | undefined>(
      (best, row) => (best && best.path.length > row.path.length ? best : row),
      undefined,
    )
}

/** Arrows that lead around in a circle, each circle once; empty when there is none. */
export function circles(arrows: readonly Import[]): string[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of arrows) next.set(from, [...(next.get(from) ?? []), to])
  const finished = new Set<string>()
  const found: string[] = []
  const visit = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node)
    if (start >= 0) found.push([...path.slice(start), node].join(' > '))
    if (start >= 0 || finished.has(node)) return
    for (const to of next.get(node) ?? []) visit(to, [...path, node])
    finished.add(node)
  }
  for (const node of next.keys()) visit(node, [])
  return found
}
