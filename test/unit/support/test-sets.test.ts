import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The files that `npm run <script> -- <args>` runs. */
function files(script: 'test' | 'test:all', args: string[] = []): string[] {
  const own = /vitest run(.*)$/.exec(scripts[script])?.[1]?.split(' ').filter(Boolean) ?? []
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const list = [vitest, 'list', '--filesOnly', ...own, ...args]
  const text = execFileSync(process.execPath, list, {
    cwd: root,
    env: { PATH: process.env.PATH, NO_COLOR: '1' },
    encoding: 'utf8',
  })
  return text
    .trim()
    .replaceAll(/^\[\w+\] /gm, '')
    .split('\n')
    .sort()
}

test('npm test and then npm run test:all run every file once', () => {
  const all = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`)
  const [fast, slow] = [files('test'), files('test:all')]
  expect([...fast, ...slow].sort()).toEqual(all.sort())
  expect(fast.filter((file) => file.startsWith('test/slow/'))).toEqual([])
}, 60_000)

test('npm test runs files that are named, whatever their kind', () => {
  const named = ['integration/tracker', 'lab/lab', 'slow/faults', 'unit/text/format'].map(
    (name) => `test/${name}.test.ts`,
  )
  expect(files('test', named)).toEqual(named)
}, 60_000)
