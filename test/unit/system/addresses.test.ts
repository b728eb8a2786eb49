import { describe, expect, it } from 'vitest'
import {
  addressMatcher,
  endpointOf,
  formatAddress,
  isLoopback,
  parseAddress,
  plainAddress,
  unmapped,
} from '../../../src/system/addresses.ts'

describe('host and port', () => {
  it.each([
    ['10.0.0.1', 6881, '10.0.0.1:6881'],
    ['fd00::5', 1, '[fd00::5]:1'],
    ['fe80::1%eth0', 65_535, '[fe80::1%eth0]:65535'],
    ['web1.example', 80, 'web1.example:80'],
  ])('%s and %i are %s', (host, port, address) => {
    expect(formatAddress(host, port)).toBe(address)
    expect(parseAddress(address)).toEqual({ host, port })
  })

  it.each([
    '',
    '10.0.0.1',
    ':80',
    'a:0',
    'a:65536',
    'fd00::5:80',
    '[fd00::5]',
    '[name]:80',
    'a b:80',
    'u@a:80',
  ])('there are none in %j', (text) => expect(parseAddress(text)).toBeUndefined())

  it('are those of a URL', () => {
    expect(endpointOf('http://[fd00::5]:8998/announce')).toEqual({ host: 'fd00::5', port: 8998 })
    expect(endpointOf('https://tracker.example/announce')).toEqual({ host: 'tracker.example', port: 443 })
  })
})

it.each([
  ['::ffff:10.0.0.1', '10.0.0.1', '10.0.0.1'],
  ['::FFFF:10.0.0.1', '10.0.0.1', '10.0.0.1'],
  ['fe80::1%eth0', 'fe80::1%eth0', 'fe80::1'],
  ['::ffff:a00:1', '::ffff:a00:1', '::ffff:a00:1'],
  ['fd00::5', 'fd00::5', 'fd00::5'],
  ['', '', ''],
])('%s is %s, and %s on other machines', (address, here, elsewhere) => {
  expect(unmapped(address)).toBe(here)
  expect(plainAddress(address)).toBe(elsewhere)
})

it.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::1', true],
  ['127.example', false],
  ['10.127.0.1', false],
  ['::', false],
])('%s is loopback: %s', (address, loopback) => expect(isLoopback(address)).toBe(loopback))

describe('addresses and networks', () => {
  const matches = addressMatcher([
    '10.0.0.0/8',
    'fd00::5',
    '192.0.2.7',
    '192.0.2.9/33',
    'nonsense',
    '1.2.3.4/x',
  ])
  it.each(['10.255.0.1', 'fd00::5', 'fd00:0::5', '192.0.2.7'])('hold %s', (address) =>
    expect(matches(address)).toBe(true),
  )
  it.each(['11.0.0.1', 'fd00::6', '192.0.2.9', '1.2.3.4', 'nonsense', ''])('do not hold %j', (address) =>
    expect(matches(address)).toBe(false),
  )
})
