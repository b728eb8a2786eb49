import { describe, expect, test } from 'vitest'
import { groupsProblem } from '../../../../src/config/entries/groups.ts'
import type { Groups } from '../../../../src/config/kinds/rollout.ts'
import { type Grouping, type Member, planGroups } from '../../../../src/deploy/rollout/groups.ts'

/** `web1` has the role web; `web1@paris` is in Paris, too; `1` has neither. */
function memberOf(text: string): Member {
  const [, role, site] = /^([a-z+]*)\d+(?:@(\w+))?$/.exec(text) ?? []
  return { roles: role ? role.split('+') : [], site }
}

const plan = (servers: string, grouping: Partial<Grouping>) =>
  planGroups(servers.split(' '), { groups: undefined, batch: undefined, ...grouping }, memberOf)
    .map(({ name, servers: its }) => `${name === undefined ? '' : `${name}: `}${its.join(' ')}`)
    .join(' | ')

const ten = '1 2 3 4 5 6 7 8 9 10'

test.each<[string, Partial<Grouping>, string]>([
  ['1 2 3 4 5', {}, '1 2 3 4 5'],
  ['1 2 3 4 5', { batch: 2 }, '1 2 | 3 4 | 5'],
  ['1 2 3 4 5', { batch: '25%' }, '1 2 | 3 4 | 5'],
  ['1 2 3 4 5', { batch: '1%' }, '1 | 2 | 3 | 4 | 5'],
  ['1 2 3 4 5', { batch: 9 }, '1 2 3 4 5'],
  [ten, { groups: [1, '10%', '100%'] }, '1 | 2 3 4 5 6 7 8 9 10'],
  [ten, { groups: [1, '50%', '100%'] }, '1 | 2 3 4 5 | 6 7 8 9 10'],
  [ten, { groups: [1, 3, 10] }, '1 | 2 3 | 4 5 6 7 8 9 10'],
  ['1 2 3', { groups: [1, 5, 10] }, '1 | 2 3'],
  ['1 2 3 4', { groups: [1, 3] }, '1 | 2 3 4'],
  ['1 2 3 4 5 6', { groups: [3, '10%', '100%'] }, '1 2 3 | 4 5 6'],
  ['1', { groups: [1, '10%', '100%'] }, '1'],
  ['web1 db2 web3 4', { groups: 'role' }, 'web: web1 web3 | db: db2 | 4'],
  ['1 web+db2 db3', { groups: 'role' }, 'web: web+db2 | db: db3 | 1'],
  ['1@paris web2@rome 3@paris 4', { groups: 'site' }, 'paris: 1@paris 3@paris | rome: web2@rome | 4'],
])('%s in %j: %s', (servers, grouping, expected) => expect(plan(servers, grouping)).toBe(expected))

describe('groups that do not add up', () => {
  const end = "let it end in '100%'"
  test.each<[Groups, string, string | undefined]>([
    [[1, '10%', '100%'], '6', undefined],
    [[1, 6], '6', undefined],
    [['100%'], '6', undefined],
    [[6], '6', undefined],
    ['role', '6', undefined],
    [[1, '10%'], '6', `1 of 6 servers are done after the last group: ${end}`],
    [[1, 5], '6', `5 of 6 servers are done after the last group: ${end}`],
    [[1, 9], '4', `there are 4 servers, not 9: ${end}`],
    [[9, '100%'], '4', `there are 4 servers, not 9: ${end}`],
    [[3, '10%', '100%'], '6', '10% of 6 servers is not more than 3: allowed: numbers that grow'],
    [[3, 2, 6], '6', '2 of 6 servers is not more than 3: allowed: numbers that grow'],
    [[1, 1, 6], '6', '1 of 6 servers is not more than 1: allowed: numbers that grow'],
    [['20%', '10%', '100%'], '2', '10% of 2 servers is not more than 20%: allowed: numbers that grow'],
    // A choice of fewer servers.
    [[1, 6], '2 of 6', undefined],
    [[3, '20%', '100%'], '5 of 20', undefined],
    [[1, 2], '2 of 6', undefined],
    [[1, 2], '4 of 6', `2 of 4 servers are done after the last group: ${end}`],
    [[1, '50%'], '4 of 6', `2 of 4 servers are done after the last group: ${end}`],
    [[1, 7], '4 of 6', `there are 6 servers, not 7: ${end}`],
  ])('%j with %s', (groups, servers, why) => {
    const [taking, named = taking] = servers.split(' of ').map(Number) as [number, number?]
    const line = `x is ${Array.isArray(groups) ? groups.join(', ') : groups}, which does not add up: ${why}`
    expect(groupsProblem(groups, { taking, named }, 'x')).toEqual(why === undefined ? [] : [line])
  })
})
