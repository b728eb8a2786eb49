import { expect, test } from 'vitest'
import { shipitCommand } from '../../../../src/deploy/context/shipit-command.ts'

test.each([
  [[], 'npx shipit production deploy'],
  [['production', 'deploy', '--verbose'], 'npx shipit production deploy'],
  [
    ['--shipitfile', 'ops/ship it.js', 'production', 'rollback'],
    "npx shipit --shipitfile 'ops/ship it.js' production deploy",
  ],
  [
    ['production', 'rollback', '--shipitfile=s.ts', '--require', 'tsx'],
    'npx shipit --shipitfile=s.ts --require tsx production deploy',
  ],
])('called with %j, it suggests what reads the same shipitfile', (argv, command) => {
  expect(shipitCommand('production', 'deploy', argv)).toBe(command)
})
