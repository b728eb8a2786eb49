import { expect, it } from 'vitest'
import { environmentName } from '../../../../src/deploy/paths/local-paths.ts'

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
