import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let directory: string

const tests = {
  'good.test.ts': "test('adds', () => {})\ntest('subtracts', () => {})\n",
  'lame.test.ts': "test('runs', () => {})\ntest.skip('needs root', () => {})\n",
  'bad.test.ts': "test('fails', () => { throw new Error('no') })\n",
}

/** A project with this repository's reporter. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-closing-'))
  mkdirSync(join(directory, 'test'))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const reporter = join(root, 'test/support/closing-line.ts')
  writeFileSync(
    join(directory, 'vitest.config.ts'),
    `import { ClosingLine } from ${JSON.stringify(reporter)}\n` +
      "export default { test: { include: ['test/**/*.test.ts'], reporters: ['default', new ClosingLine()] } }\n",
  )
  for (const [name, text] of Object.entries(tests)) {
    writeFileSync(join(directory, 'test', name), `import { test } from 'vitest'\n${text}`)
  }
})

afterAll(() => rmSync(directory, { recursive: true }))

/** The exit code of a run, and its last lines: those of ours. */
function run(args: string[], env: Record<string, string> = {}) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, NO_COLOR: '1', ...env },
    encoding: 'utf8',
  })
  const lines = stdout.trimEnd().split('\n')
  return { status, lines: lines.filter((line) => /^SKIPPED|^NO TESTS|^MURDER|passed, \d/.test(line)) }
}

const skipped = 'SKIPPED test/lame.test.ts: 1 of its tests did not run'

test.each([
  { args: ['./test/good.test.ts', '-t', 'adds'], status: 0, lines: ['1 passed, 0 failed'] },
  { args: ['test/lame.test.ts'], status: 0, lines: [skipped, '1 passed, 0 failed'] },
  { args: ['test/bad.test.ts', 'test/good.test.ts'], status: 1, lines: ['2 passed, 1 failed'] },
  {
    args: ['test/nowhere.test.ts'],
    status: 1,
    lines: ['NO TESTS: no test file has the path test/nowhere.test.ts', '0 passed, 0 failed'],
  },
  {
    args: ['test/good.test.ts', 'test/nowhere.test.ts'],
    status: 1,
    lines: ['NO TESTS: no test file has the path test/nowhere.test.ts', '2 passed, 0 failed'],
  },
  {
    args: ['-t', 'multiplies'],
    status: 1,
    lines: ['NO TESTS: none has the name that -t asks for', '0 passed, 0 failed'],
  },
])('a run of $args', ({ args, status, lines }) => {
  expect(run(args)).toEqual({ status, lines })
})

test('a skipped test is a failure where all must run, unless its name was not asked for', () => {
  const env = { MURDER_TEST_REQUIRE_ALL: '1' }
  expect(run(['test/lame.test.ts'], env)).toEqual({
    status: 1,
    lines: [
      skipped,
      'MURDER_TEST_REQUIRE_ALL is set: the 1 skipped tests count as failed',
      '1 passed, 1 failed',
    ],
  })
  expect(run(['test/lame.test.ts', '-t', 'runs'], env)).toEqual({ status: 0, lines: ['1 passed, 0 failed'] })
})
