import { describe, expect, test } from 'vitest'
import {
  circles,
  disagreements,
  type Import,
  importsOf,
  type Row,
  readSources,
  readTable,
} from './imports.ts'

const sources = readSources()
const table = readTable()

/** Arrows of the table between the folders and files directly in `src`. */
const law = table.flatMap(({ path, uses = [] }) =>
  uses.map((use) => ({ from: top(path), to: top(use) })).filter(({ from, to }) => from !== to),
)

function top(path: string): string {
  return path.split('/').slice(0, 2).join('/')
}

describe('the table of folders in ARCHITECTURE.md', () => {
  test('agrees with all imports', () => expect(disagreements(table, sources)).toEqual([]))

  test('leads nowhere in a circle', () => expect(circles(law)).toEqual([]))

  test('keeps the plugin and the agent apart', () => {
    const between = law.filter(({ from, to }) =>
      [`${from} ${to}`, `${to} ${from}`].includes('src/deploy src/agent'),
    )
    expect(between).toEqual([])
  })
})

test('no files import each other in a circle', () => expect(circles(importsOf(sources))).toEqual([]))

describe('what the comparison notices', () => {
  const row = (path: string, ...uses: string[]): Row => ({ path, uses })
  const files = (...all: [string, string][]) => new Map(all)
  const rows = [row('src/a', 'src/b'), row('src/b')]
  const b: [string, string] = ['src/b/it.ts', '']

  test.each([
    ["import { it } from '../b/it.ts'"],
    ["import type { It } from '../b/it.ts'"],
    ["import {\n  it,\n} from '../b/it.ts'"],
    ["import '../b/it.ts'"],
    ["export { it } from '../b/it.ts'"],
    ["const { it } = await import('../b/it.ts')"],
    ["type It = import('../b/it.ts').It"],
  ])('%j is an import', (text) => {
    const found = importsOf(files(['src/a/one.ts', text]))
    expect(found).toEqual([{ from: 'src/a/one.ts', to: 'src/b/it.ts' }])
    expect(disagreements(rows, files(['src/a/one.ts', text], b))).toEqual([])
  })

  test('an import that the table does not allow', () => {
    const back = files(['src/a/one.ts', "import '../b/it.ts'"], ['src/b/it.ts', "import '../a/one.ts'"])
    expect(disagreements(rows, back)).toEqual(['src/b/it.ts imports src/a/one.ts, which src/b may not'])
  })

  test('a permission that nothing uses', () => {
    expect(disagreements(rows, files(['src/a/one.ts', ''], b))).toEqual(['src/a does not use src/b'])
  })

  test('a folder that is not in the table, and one that is gone', () => {
    const there = files(['src/a/one.ts', "import '../b/it.ts'"], b, ['src/b/deep/c.ts', ''])
    expect(disagreements([...rows, row('src/d')], there)).toEqual([
      'src/b/deep is not in the table',
      'src/d does not exist',
    ])
  })

  test('a part of a folder may what the folder may, and one of its own permissions only those', () => {
    const text = "import '../../b/it.ts'"
    const there = files(['src/a/one.ts', "import '../b/it.ts'"], ['src/a/deep/two.ts', text], b)
    expect(disagreements([...rows, { path: 'src/a/deep', uses: undefined }], there)).toEqual([])
    expect(disagreements([...rows, row('src/a/deep')], there)).toEqual([
      'src/a/deep/two.ts imports src/b/it.ts, which src/a/deep may not',
    ])
  })

  test('a circle, whatever leads into it', () => {
    const arrows: Import[] = ['ab', 'bc', 'cd', 'db'].map(([from = '', to = '']) => ({ from, to }))
    expect(circles(arrows)).toEqual(['b > c > d > b'])
    expect(circles(arrows.slice(0, 3))).toEqual([])
  })
})
