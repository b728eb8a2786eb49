import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-check-'))
  cpSync(join(root, 'biome.json'), join(directory, 'biome.json'))
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
