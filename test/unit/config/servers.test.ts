import { describe, expect, test } from 'vitest'
import { findServers, isServer, isServerName, partsOf, serverNames } from '../../../src/config/servers.ts'

test.each([
  ['a', { user: 'deploy', host: 'a', port: undefined }],
  ['me@a:2222', { user: 'me', host: 'a', port: '2222' }],
  ['me@192.0.2.1', { user: 'me', host: '192.0.2.1', port: undefined }],
  ['me@fd00:1::11', { user: 'me', host: 'fd00:1::11', port: undefined }],
  ['me@[fd00:1::11]', { user: 'me', host: 'fd00:1::11', port: undefined }],
  ['me@[fd00:1::11]:2222', { user: 'me', host: 'fd00:1::11', port: '2222' }],
  ['me@fe80::1%eth0', { user: 'me', host: 'fe80::1%eth0', port: undefined }],
  ['::1', { user: 'deploy', host: '::1', port: undefined }],
  [{ host: 'a' }, { user: 'deploy', host: 'a', port: undefined }],
  ['', undefined],
  [undefined, undefined],
])('%j is %j', (server, parts) => {
  expect(partsOf(server)).toEqual(parts)
})

test.each([
  ['me@a', true, true],
  ['me@a:22', true, true],
  ['me@fd00:1::11', true, true],
  ['me@[fd00:1::11]:22', true, true],
  ['a:22', false, true],
  ['[::1]:22', false, true],
  ['me@a:x', false, false],
  ['me@[::1]:x', false, false],
  ['me@a b', false, false],
])('%j names a server with a user: %j, without: %j', (text, withUser, without) => {
  expect([isServer(text), isServerName(text)]).toEqual([withUser, without])
})

describe('a server with an IPv6 address', () => {
  const servers = ['me@a', { host: 'fd00:1::11', user: 'me', port: 2222 }]

  test.each([
    'fd00:1::11',
    'me@fd00:1::11',
    '[fd00:1::11]',
    'me@[fd00:1::11]',
    '[fd00:1::11]:2222',
    'me@[fd00:1::11]:2222',
  ])('is found as %s', (name) => {
    expect(findServers(name, servers)).toEqual([1])
  })

  test('has brackets in messages', () => {
    expect(serverNames(servers)).toEqual(['me@a', 'me@[fd00:1::11]:2222'])
  })
})
