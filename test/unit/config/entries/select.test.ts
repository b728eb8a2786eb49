import { describe, expect, test } from 'vitest'
import { type Selection, selectionProblems, selectServers } from '../../../../src/config/entries/select.ts'

const servers = [
  { host: 'a', roles: ['web'] },
  { host: 'b', roles: ['web', 'db'], label: 'main' },
  { host: 'c', roles: 'db', port: 2200 },
  'deploy@d',
]
const choice = (some: Partial<Selection>): Selection => ({ roles: [], only: [], except: [], ...some })

test.each<[Partial<Selection>, number[]]>([
  [{}, [0, 1, 2, 3]],
  [{ roles: ['web'] }, [0, 1]],
  [{ roles: ['web', 'db'] }, [0, 1, 2]],
  [{ only: ['main', 'd'] }, [1, 3]],
  [{ only: ['b', 'deploy@c:2200'] }, [1, 2]],
  [{ except: ['a', 'deploy@d'] }, [1, 2]],
  [{ roles: ['db'], except: ['main'] }, [2]],
  [{ roles: ['web'], only: ['b', 'c'] }, [1]],
])('%j', (some, indices) => expect(selectServers(servers, choice(some))).toEqual(indices))

describe('problems', () => {
  const problems = (some: Partial<Selection>, all: unknown[] = servers) =>
    selectionProblems(all, choice(some), (setting) => `murder.${setting}`)

  test.each<[Partial<Selection>, string[]]>([
    [{}, []],
    [{ roles: ['web'], only: ['a'] }, []],
    [
      { roles: ['webs'] },
      ['murder.roles has "webs", which no server has: did you mean web? allowed: web, db'],
    ],
    [
      { roles: ['wbe', 'bd', 'bw'] },
      [
        'murder.roles has "wbe", which no server has: did you mean web? allowed: web, db',
        'murder.roles has "bd", which no server has: did you mean db? allowed: web, db',
        'murder.roles has "bw", which no server has: allowed: web, db',
      ],
    ],
    [
      { only: ['mian'], except: ['x.example.com'] },
      [
        'murder.only has "mian", which is not in servers: did you mean main? allowed: deploy@a, main, deploy@c:2200, deploy@d',
        'murder.except has "x.example.com", which is not in servers: allowed: deploy@a, main, deploy@c:2200, deploy@d',
      ],
    ],
    [
      { roles: ['db'], only: ['a'] },
      ['No server is left by murder.roles db with murder.only a: choose fewer conditions'],
    ],
    [
      { except: ['a', 'b', 'c', 'd'] },
      ['No server is left by murder.except a, b, c, d: choose fewer conditions'],
    ],
  ])('%j', (some, lines) => expect(problems(some)).toEqual(lines))

  test('a fleet without roles', () => {
    expect(problems({ roles: ['web'] }, ['a'])).toEqual([
      `murder.roles has "web", but no entry of servers has roles: give them some, as in { host: 'a', roles: ['web'] }`,
    ])
  })
})
