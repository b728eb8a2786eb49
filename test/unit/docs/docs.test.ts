import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

function sources(directory: string): string {
  const entries = readdirSync(join(root, directory), { withFileTypes: true })
  return entries
    .map((entry) =>
      entry.isDirectory() ? sources(`${directory}/${entry.name}`) : read(`${directory}/${entry.name}`),
    )
    .join('\n')
}

const code =
  sources('src') +
  read('node_modules/shipit-deploy/lib/extendShipit.js') +
  read('node_modules/shipit-deploy/lib/tasks/rollback/init.js')

/** The first column of every table row, as its code spans. */
const firstColumn = (text: string) =>
  [...text.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => cell.match(/`[^`]+`/g) ?? [])

describe('the messages that are explained are those that the program writes', () => {
  const explained = [
    ...firstColumn(read('docs/troubleshooting.md')),
    ...firstColumn(read('README.md').split('## When it does not work')[1] ?? ''),
  ]

  test('there are some', () => expect(explained.length).toBeGreaterThan(40))

  test.each(explained)('%s', (message) => {
    for (const part of message.slice(1, -1).split(/…|"node"|8998/)) {
      const words = part.trim().replace(/^:|:\S*$/g, '')
      if (words.length > 3) expect(code.includes(words), words).toBe(true)
    }
  })
})

describe.each(pages)('%s', (page) => {
  const text = read(page)

  test('its links lead somewhere', () => {
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)/g)) {
      expect(existsSync(join(root, dirname(page), target)), target).toBe(true)
    }
  })

  test('its lines are no longer than a screen is wide, apart from tables and what is printed', () => {
    const prose = text.replace(/```[\s\S]*?```/g, '').split('\n')
    const long = prose.filter((line) => line.length > 132 && !/^[|-]/.test(line))
    expect(page === 'docs/settings.md' ? [] : long).toEqual([])
  })
})

test('the shipitfile in README.md is examples/minimal/shipitfile.mjs', () => {
  const [, shown] = /```js\n([\s\S]*?)```/.exec(read('README.md')) ?? []
  expect(read('examples/minimal/shipitfile.mjs').replace(/^\/\/.*\n/gm, '')).toBe(shown)
})

test('docs/tasks.md has a row for every task, and for no other', () => {
  const tasks = new Set(sources('src/tasks').match(/(?<=(?<!emit\()')(?:murder:[\w:]+|deploy:update)(?=')/g))
  const documented = firstColumn(read('docs/tasks.md'))
    .map((name) => name.slice(1, -1))
    .filter((name) => name.startsWith('murder:') || name === 'deploy:update')
  expect(documented.sort()).toEqual([...tasks].sort())
})

test.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('the paths in %s exist', (page) => {
  const paths = [...read(page).matchAll(/`((?:src|test|bench|scripts)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path,
  )
  expect(paths.length).toBeGreaterThan(5)
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
})

test('the files that notes in src name exist, beside them or below', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const notes = files.filter((file) => /(?:NOTES|STATE)\.md$/.test(file))
  expect(notes.length).toBeGreaterThan(3)
  const missing = notes.flatMap((note) => {
    const folder = dirname(note)
    const isThere = (name: string) =>
      files.includes(join(folder, name)) ||
      (!name.includes('/') &&
        files.some((file) => file.startsWith(`${folder}/`) && file.endsWith(`/${name}`)))
    const named = [...read(`src/${note}`).matchAll(/`([\w./-]+\.(?:ts|md))`/g)].map(([, name = '']) => name)
    return named.filter((name) => !isThere(name)).map((name) => `${note}: ${name}`)
  })
  expect(missing).toEqual([])
})

test('the picture in ARCHITECTURE.md shows every folder of src', () => {
  const [picture = ''] = read('ARCHITECTURE.md').match(/```mermaid[\s\S]*?```/) ?? []
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  expect(
    folders.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(picture)),
  ).toEqual([])
})
