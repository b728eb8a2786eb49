import { expect, test } from 'vitest'
import { linksLine } from '../../../../src/deploy/reach/links-line.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const [a, b, c] = ['a', 'b', 'c'].map((label) => ({ label }) as Server) as [Server, Server, Server]
const servers = [a, b, c]

test('all, some and none', () => {
  const links = [[a, b] as const, [c, a] as const]
  expect(linksLine({ servers, links, unlinked: [], blocked: ['silent'] })).toBe(
    'The servers exchange over SSH: nothing answers on their peer ports',
  )
  expect(linksLine({ servers, links, unlinked: [], blocked: [], isForwarded: true })).toBe(
    'The servers exchange over SSH, with the SSH agent that is forwarded: as murder.between says',
  )
  // What failed in one direction and works in the other is no news.
  const unlinked = [
    { from: b, to: a, why: 'refused' },
    { to: c, why: 'no host key' },
  ]
  expect(linksLine({ servers, links: [[a, b]], unlinked, blocked: [] })).toBe(
    '2 of 3 servers exchange over SSH: as murder.between says; not one (c: no host key), to which the seeder sends all',
  )
  expect(linksLine({ servers, links: [], unlinked: unlinked.slice(1), blocked: ['refused'] })).toBe(
    'Servers do not reach each other (their peer ports refuse), nor over SSH (c: no host key): the seeder sends all to each',
  )
  expect(linksLine({ servers, links: [], unlinked: [], blocked: ['refused'] })).toContain('in time')
})
