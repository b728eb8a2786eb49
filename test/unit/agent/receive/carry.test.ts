import { expect, it } from 'vitest'
import { keptBy } from '../../../../src/agent/receive/carry.ts'

it('keeps what the patterns leave out, and what is beside the package', () => {
  const filter = [{ kind: 'exclude' as const, pattern: '/app/logs' }]
  const keeps = keptBy({ from: '/', filter, ignore: ['/tmp'], within: 'app' })
  const kept = ['app', 'app/logs', 'app/tmp', 'app/src', 'apple', 'tmp', 'logs'].filter((path) =>
    keeps(path, true),
  )
  expect(kept).toEqual(['app/logs', 'app/tmp', 'apple', 'tmp', 'logs'])
})
