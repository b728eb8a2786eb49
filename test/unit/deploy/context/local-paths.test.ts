import { join } from 'node:path'
import ignore from 'ignore'
import { expect, it } from 'vitest'
import { environmentName, ownFiles } from '../../../../src/deploy/context/local-paths.ts'

it.each([
  ['staging', 'staging'],
  ['eu/west 1', 'eu%2Fwest%201'],
  ['..', '%2E.'],
  ['run', 'run%'],
  ['run_', 'run_'],
  ['', '%'],
])('the environment %s has the directory %s', (environment, name) => {
  expect(environmentName(environment)).toBe(name)
})

it('keeps its own files out of a package of the directory that they are in', () => {
  const above = join(process.cwd(), '..')
  const inside = process.cwd().slice(above.length + 1)
  expect(ownFiles(process.cwd())).toEqual(['/.shipit-murder/'])
  const ignored = ignore().add(ownFiles(above))
  expect(ignored.ignores(`${inside}/.shipit-murder/staging/package`)).toBe(true)
  expect(ignored.ignores('.shipit-murder/staging/package')).toBe(false)
  expect(ownFiles(join(process.cwd(), 'src'))).toEqual([])
})
