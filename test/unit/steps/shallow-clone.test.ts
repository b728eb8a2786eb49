import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ShipitConfig } from '../../../src/shipit.ts'
import { removeShallowClone } from '../../../src/steps/shallow-clone.ts'

let workspace: string
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'shallow-clone-'))
})
afterEach(() => rmSync(workspace, { recursive: true, force: true }))

const isLeft = (config: ShipitConfig) => {
  removeShallowClone({ config, workspace })
  return existsSync(workspace)
}

test('a temporary clone goes, as shipit-deploy clones unless told otherwise', () => {
  expect(isLeft({ workspace: '/another' })).toBe(false)
})

test('what the user has configured or wants to keep stays', () => {
  expect(isLeft({ keepWorkspace: true })).toBe(true)
  expect(isLeft({ shallowClone: false })).toBe(true)
  expect(isLeft({ shallowClone: true, workspace })).toBe(true)
})
