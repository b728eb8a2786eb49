import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Project } from '../support/harness/deploy-project.ts'
import { StubFleet } from '../support/stub-fleet/stub-fleet.ts'

const SERVERS = 60
const CONTENT_BYTES = 4_000_000
/** Servers in the report's table. */
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
  project.configure({ servers: fleet.servers, deployTo: '/srv/app', murder: { node: fleet.node } })

  const { code, stdout, stderr } = await project.run('deploy', fleet.environment)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [live, ...others] = new Set(fleet.live())
  expect(live).toMatch(/^releases\/\d{14}$/)
  expect(others).toEqual([])

  const lines = stdout.split('\n')
  const naming = lines.filter((line) => line.includes('@10.99.'))
  // In the table, the fastest and the slowest, and the first that are done.
  expect(naming.length).toBeLessThan(ROWS + 30)
  expect(stdout).toContain(`servers      ${SERVERS} of ${SERVERS} done`)
  expect(stdout).toContain(`… and ${SERVERS - ROWS} more`)
}, 600_000)
