import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Project } from '../support/harness/deploy-project.ts'
import { StubFleet } from '../support/stub-fleet/stub-fleet.ts'

const require = createRequire(import.meta.url)
const plugin = join(process.cwd(), 'dist/index.cjs')

const SERVERS = 50
const CONTENT_BYTES = 4_000_000
/** Servers that are named when they are done, and in the report's table. */
const ROWS = 40

test('a large fleet has the release, and its progress and report are short', async () => {
  const project = new Project()
  onTestFinished(() => project.remove())
  const fleet = new StubFleet(join(project.root, 'fleet'), {
    count: SERVERS,
    seconds: 4,
    bytes: CONTENT_BYTES,
  })
  writeFileSync(join(project.workspace, 'content'), randomBytes(CONTENT_BYTES))
  const { workspace } = project
  const config = {
    ...{ workspace, keepWorkspace: true, shallowClone: false, deployTo: '/srv/app' },
    ...{ servers: fleet.servers, murder: { node: fleet.node } },
  }
  const shipitfile = [
    `const plugins = [require(${JSON.stringify(require.resolve('shipit-deploy'))}), require(${JSON.stringify(plugin)})]`,
    'module.exports = (shipit) => {',
    '  for (const plugin of plugins) plugin(shipit)',
    `  shipit.initConfig({ test: ${JSON.stringify(config)} })`,
    '}',
  ]
  writeFileSync(join(project.directory, 'shipitfile.js'), shipitfile.join('\n'))

  const { code, stdout, stderr } = await project.run('deploy', fleet.environment)
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  const [live, ...others] = new Set(fleet.live())
  expect(live).toMatch(/^releases\/\d{14}$/)
  expect(others).toEqual([])

  expect(stdout.match(/: Done and done, /g)).toHaveLength(ROWS)
  expect(stdout).toContain('more servers: Done and done')
  expect(stdout).toContain(`servers      ${SERVERS} of ${SERVERS} done`)
  expect(stdout).toContain(`… and ${SERVERS - ROWS} more`)
}, 600_000)
