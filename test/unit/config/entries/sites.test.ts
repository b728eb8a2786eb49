import { describe, expect, test } from 'vitest'
import { siteOf } from '../../../../src/config/entries/sites.ts'
import { loadSettings } from '../../../../src/config/load.ts'

const servers = ['deploy@a.example.com', 'b.example.com:2222', 'c.example.com']
const load = (sites: unknown, peers?: string[]) =>
  loadSettings({ file: { sites, ...(peers ? { peers } : {}) }, env: {}, deployTo: '/srv/app', servers })
    .settings.sites

const message = (sites: unknown): string => {
  try {
    load(sites)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

test('a server belongs to the site that has one of its names, and the deploy host to the one with local', () => {
  const sites = load({
    paris: { servers: ['a.example.com', 'local'], limit: '10M' },
    tokyo: ['deploy@b.example.com:2222'],
  })
  const name = (host: string, port = 22) => siteOf(sites, { user: 'deploy', host, port })?.name
  expect(name('a.example.com')).toBe('paris')
  expect(name('b.example.com', 2222)).toBe('tokyo')
  expect(name('c.example.com')).toBeUndefined()
  expect(siteOf(sites, undefined)).toEqual({
    name: 'paris',
    servers: ['a.example.com', 'local'],
    limit: 10485760,
  })
})

test('servers of single tasks may be named, too', () => {
  expect(load({ rome: ['deploy@x.example.com'] }, ['deploy@x.example.com'])).toHaveLength(1)
})

describe('one line for each mistake', () => {
  test.each([
    [{ paris: [] }, 'murder.sites.paris has no servers: name at least one, or remove the site'],
    [{ paris: { servers: [] } }, 'murder.sites.paris has no servers: name at least one, or remove the site'],
    [
      { paris: ['a.example.com'], tokyo: ['deploy@a.example.com'] },
      'murder.sites.tokyo has deploy@a.example.com, which is in paris too: a server is in one site, so remove it from one',
    ],
    [
      { paris: ['c.exmaple.com'] },
      'murder.sites.paris has "c.exmaple.com", which is not in servers: did you mean c.example.com? allowed: deploy@a.example.com, b.example.com:2222, c.example.com, local',
    ],
  ])('%j', (sites, expected) => expect(message(sites)).toBe(expected))

  test.each([
    [{ paris: { servers: ['a.example.com'], limt: '1M' } }],
    [{ paris: { servers: ['a.example.com'], limit: '10 apples' } }],
    [{ 'pa ris': ['a.example.com'] }],
    [{ paris: 'a.example.com' }],
    [['a.example.com']],
    [7],
  ])('%j', (sites) =>
    expect(message(sites)).toMatch(/^murder\.sites is [^\n]*: allowed: names with their servers[^\n]*$/),
  )
})
