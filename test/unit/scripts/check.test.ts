import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-check-'))
  for (const path of ['biome.json', 'scripts/lint'])
    cpSync(join(root, path), join(directory, path), { recursive: true })
  mkdirSync(join(directory, 'src'))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(join(directory, '.gitignore'), 'node_modules\n')
})

afterEach(() => rmSync(directory, { recursive: true }))

/** This repository's linter on two files. */
function lint(files: Record<string, string>): { status: number | null; output: string } {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  const biome = join(root, 'node_modules/.bin/biome')
  const { status, stdout, stderr } = spawnSync(biome, ['check', '.'], { cwd: directory, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

const a = "import { b } from './b.ts'\n\nexport const a = () => b\n"

it('the linter refuses an import cycle', () => {
  const { status, output } = lint({
    'a.ts': a,
    'b.ts': "import { a } from './a.ts'\n\nexport const b = () => a\n",
  })
  expect(output).toContain('noImportCycles')
  expect(status).toBe(1)
})

it('the linter accepts the same without the cycle', () => {
  const { status, output } = lint({ 'a.ts': a, 'b.ts': 'export const b = 1\n' })
  expect(output).not.toContain('noImportCycles')
  expect(status).toBe(0)
})

it.each([
  ['a private member', 'export class A {\n  private b = 1\n  c = () => this.b\n}\n', '#name'],
  [
    'a spread object literal',
    'export const a = (b: object) => ({ ...{ c: 1 }, ...b })\n',
    'the object itself',
  ],
  ['a constant in lower case', 'export const limit = 8 << 10\n', 'UPPER_CASE'],
  ['a barrel', "export { a } from './other.ts'\n", 'noBarrelFile'],
])('the linter refuses %s', (_, text, message) => {
  const { status, output } = lint({ 'src/a.ts': text })
  expect(output).toContain(message)
  expect(status).toBe(1)
})

it('the linter accepts constants in upper case, functions in lower case, and #name', () => {
  const { output } = lint({
    'src/a.ts': `export const LIMIT = 8 << 10

export const half = (count: number) => {
  const rest = count - 1
  return rest / 2
}

export class A {
  readonly #b = LIMIT
  c = () => this.#b
}
`,
  })
  expect(output).not.toContain('error')
  expect(output).not.toContain('plugin')
})
