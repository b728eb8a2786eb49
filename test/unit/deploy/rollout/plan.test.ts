import { expect, test } from 'vitest'
import { groupsLeft, nameGroup } from '../../../../src/deploy/rollout/plan.ts'

test.each([
  [0, ['group 1 of 3 (web): a', 'group 2 of 3 (db): b', 'group 3 of 3: c d']],
  [1, ['group 2 of 3 (db): b', 'group 3 of 3: c d']],
  [2, ['group 3 of 3: c d']],
  [3, []],
])('once %i groups are done, the others keep their numbers', (done, names) => {
  const groups = [{ name: 'web', servers: ['a'] }, { name: 'db', servers: ['b'] }, { servers: ['c', 'd'] }]
  const left = groupsLeft({ groups, done })
  expect(left.map((group) => `${nameGroup(group)}: ${group.servers.join(' ')}`)).toEqual(names)
})
