import { describe, expect, test } from 'vitest'
import { entryOf, entryProblems, hostProblems } from '../../../../src/config/entries/entry.ts'
import { sitesWithEntries } from '../../../../src/config/entries/sites.ts'

test('a text says nothing but how it is reached, an object what it has', () => {
  expect(entryOf('deploy@a')).toEqual({ roles: [], env: {} })
  expect(entryOf({ host: 'a' })).toEqual({ roles: [], env: {} })
  const whole = { host: 'a', label: 'web1', roles: 'web', site: 'paris', deployTo: '/srv/b/', node: 'node22' }
  expect(entryOf({ ...whole, env: { PORT: 8080, DEBUG: true, NAME: 'x y' } })).toEqual({
    label: 'web1',
    roles: ['web'],
    site: 'paris',
    deployTo: '/srv/b',
    node: 'node22',
    env: { PORT: '8080', DEBUG: 'true', NAME: 'x y' },
  })
})

test('keys of ssh-pool and of the user are let through', () => {
  expect(
    entryProblems(['a', { host: 'b', user: 'u', port: 22, extraSshOptions: {}, name: 'B', tags: [] }]),
  ).toEqual([])
})

describe('problems, one line each', () => {
  test.each<[object, string]>([
    [{ role: 'web' }, 'servers[0].role (deploy@a, found "web") is no field: did you mean roles?'],
    [{ lable: 'x' }, 'servers[0].lable (deploy@a, found "x") is no field: did you mean label?'],
    [{ deployto: '/x' }, 'servers[0].deployto (deploy@a, found "/x") is no field: did you mean deployTo?'],
    [
      { deployTo: 'srv' },
      "servers[0].deployTo (deploy@a) is \"srv\": allowed: an absolute path below '/', without '..' and line breaks",
    ],
    [
      { roles: ['a b'] },
      "servers[0].roles (deploy@a) is [\"a b\"]: allowed: names of letters, digits, '.', '_' and '-', as in ['web', 'db']",
    ],
    [
      { label: 'a b' },
      'servers[0].label (deploy@a) is "a b": allowed: a name without blanks, of at most 100 characters',
    ],
    [
      { label: 'a\nb' },
      'servers[0].label (deploy@a) is "a\\nb": allowed: a name without blanks, of at most 100 characters',
    ],
  ])('%j', (fields, line) => {
    expect(entryProblems([{ host: 'a', ...fields }])).toEqual([line])
  })

  test('values of variables are not shown', () => {
    const [line, ...more] = entryProblems([{ host: 'a', env: { 'A-B': 'secret' } }])
    expect(line).toMatch(/^servers\[0\]\.env \(deploy@a\) is an object with "A-B": allowed: /)
    expect(line).not.toContain('secret')
    expect(more).toEqual([])
    expect(entryProblems([{ host: 'a', env: { MURDER_HOST: 'x' } }])).toHaveLength(1)
  })

  test('three with one name', () => {
    const servers = ['a', 'b', 'c'].map((host) => ({ host, label: 'web1' }))
    expect(entryProblems(servers)).toEqual([
      'servers[0] and servers[1] and servers[2] are all called "web1": give each of them a label of its own',
    ])
  })

  test.each<[unknown[]]>([
    [
      [
        { host: 'a', label: 'web1' },
        { host: 'b', label: 'web1' },
      ],
    ],
    [[{ host: 'a', label: 'web1' }, 'deploy@web1']],
    [['deploy@web1', { host: 'a', label: 'web1' }]],
  ])('two with one name: %j', (servers) => {
    expect(entryProblems(servers)).toEqual([
      expect.stringMatching(/^servers\[\d\] and servers\[\d\] are both called "web1": give each/),
    ])
  })
})

test.each<[unknown, string]>([
  [{ user: 'u', env: { KEY: 'secret' } }, 'an object with "user", "env"'],
  [{ host: '' }, 'an object with "host"'],
  [{}, 'an object with nothing'],
  [7, '7'],
  [null, 'null'],
  ['', '""'],
  [['a'], '["a"]'],
])('%j names no server', (server, shown) => {
  expect(hostProblems(['deploy@a', { host: 'b' }, server])).toEqual([
    `servers[2] is ${shown}: allowed: 'user@host', or an object with a host as in { host: 'a.example.com' }`,
  ])
})

test('entries add to the sites of the setting', () => {
  const sites = [{ name: 'paris', servers: ['a'], limit: 5 }]
  const servers = ['deploy@a', { host: 'b', site: 'paris' }, { host: 'c', label: 'c1', site: 'tokyo' }]
  expect(sitesWithEntries(sites, servers)).toEqual([
    { name: 'paris', servers: ['a', 'deploy@b'], limit: 5 },
    { name: 'tokyo', servers: ['c1'], limit: 0 },
  ])
  expect(sites[0]?.servers).toEqual(['a'])
})
