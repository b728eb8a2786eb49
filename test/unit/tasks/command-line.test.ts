import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'

const require = createRequire(import.meta.url)
const source = fileURLToPath(new URL('../../../src/', import.meta.url))
let directory: string

/** Shipit's command line with the plugin from source and a few failing tasks. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-plugin-'))
  buildSync({
    stdin: {
      resolveDir: source,
      contents: `
        import murder from './index.ts'
        import { MurderError } from './errors.ts'
        import { task } from './tasks/task.ts'
        export default (shipit) => {
          if (process.env.TOO_EARLY) murder(shipit)
          require(${JSON.stringify(require.resolve('shipit-deploy'))})(shipit)
          murder(shipit)
          for (const exitCode of [2, 3, 130]) {
            task(shipit, 'fail' + exitCode, () => {
              throw new MurderError('TEST', 'It failed', { exitCode, cure: 'try again' })
            })
          }
          task(shipit, 'bug', () => undefined.x)
          task(shipit, 'works', () => {})
          shipit.on('task_err', () => console.log('seen by another plugin'))
          shipit.initConfig({ test: { servers: [] } })
        }`,
    },
    outfile: join(directory, 'shipitfile.js'),
    bundle: true,
    platform: 'node',
    define: { 'import.meta.url': '"file:///"' },
    logLevel: 'error',
  })
  writeFileSync(join(directory, 'package.json'), '{}')
})

afterAll(() => rmSync(directory, { recursive: true }))

function shipit(task: string, env = {}) {
  const cli = join(require.resolve('shipit-cli/package.json'), '../bin/shipit')
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'test', task], {
    cwd: directory,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

it.each([2, 3, 130])('npx shipit ends with exit code %i where the error says so', (code) => {
  const { status, stdout, stderr } = shipit(`fail${code}`)
  expect(stdout).toContain('It failed — try again\n')
  expect(stdout).toContain('seen by another plugin\n')
  expect(stdout).not.toMatch(/^ {4}at /m)
  expect(stderr).toBe('')
  expect(status).toBe(code)
})

it('ends with 1 after a bug and 0 after success', () => {
  expect(shipit('bug').status).toBe(1)
  expect(shipit('works').status).toBe(0)
})

it('prints one plain line and exits with 2 when the plugin is loaded too early', () => {
  const { status, stderr } = shipit('works', { TOO_EARLY: '1' })
  expect(stderr).toContain('shipit-murder was loaded before shipit-deploy — call deploy(shipit) first')
  expect(stderr).not.toMatch(/^ {4}at /m)
  expect(stderr).not.toContain('PLUGIN_ORDER')
  expect(status).toBe(2)
})
