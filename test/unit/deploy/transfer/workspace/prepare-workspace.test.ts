import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Context } from '../../../../../src/deploy/context/context.ts'
import { prepareWorkspace } from '../../../../../src/deploy/transfer/workspace/prepare-workspace.ts'

const here = process.cwd()
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-workspace-'))
  process.chdir(directory)
})
afterEach(() => {
  process.chdir(here)
  rmSync(directory, { recursive: true })
})

const modeOf = (path: string) => statSync(join(directory, path)).mode & 0o777

/** What deploy:fetch clones into when the shipitfile names no workspace. */
async function prepare(): Promise<void> {
  const config: { repositoryUrl: string; workspace?: string } = { repositoryUrl: 'git://example' }
  let used: string | undefined
  const fetch = () => {
    used = config.workspace
  }
  const shipit = { environment: 'production', config, tasks: { 'deploy:fetch': { fn: fetch } } }
  await prepareWorkspace({ shipit } as unknown as Context)
  expect(used).toBe(join(process.cwd(), '.shipit-murder/production/workspace'))
}

it('has the mode of a release, in a directory that others cannot enter', async () => {
  await prepare()
  expect(modeOf('.shipit-murder/production')).toBe(0o700)
  expect(modeOf('.shipit-murder/production/workspace')).toBe(0o755)
})

it('gets that mode also when an earlier version has made it', async () => {
  mkdirSync(join(directory, '.shipit-murder/production/workspace'), { recursive: true, mode: 0o700 })
  chmodSync(join(directory, '.shipit-murder/production/workspace'), 0o700)
  await prepare()
  expect(modeOf('.shipit-murder/production/workspace')).toBe(0o755)
})
