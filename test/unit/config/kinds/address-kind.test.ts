import { expect, test } from 'vitest'
import { loadSettings } from '../../../../src/config/load.ts'

const servers = ['deploy@a.example.com', 'deploy@b.example.com:2222']
const load = (file: unknown, env: Record<string, string> = {}) =>
  loadSettings({ file, env, deployTo: '/srv/app', servers }).settings.betweenAddresses

test('as an object and as text', () => {
  const wanted = [
    { server: 'a.example.com', address: '10.0.0.5:2222' },
    { server: 'deploy@b.example.com', address: 'app@[fd00::1]:22' },
  ]
  const file = { 'a.example.com': '10.0.0.5:2222', 'deploy@b.example.com': 'app@[fd00::1]:22' }
  expect(load({ betweenAddresses: file })).toEqual(wanted)
  const text = 'a.example.com=10.0.0.5:2222, deploy@b.example.com=app@[fd00::1]:22'
  expect(load({}, { MURDER_BETWEEN_ADDRESSES: text })).toEqual(wanted)
})

test.each(['-oProxyCommand=x', 'a b', 'a/b', 'a:0', 'a:99999', 'a:x', '', 'a\nProxyCommand x', '@', '$(id)'])(
  '%j is no address',
  (address) => {
    expect(() => load({ betweenAddresses: { 'a.example.com': address } })).toThrow('murder.betweenAddresses')
  },
)

test('a name that is no server is named', () => {
  expect(() => load({ betweenAddresses: { 'a.exampel.com': '10.0.0.5' } })).toThrow(
    'murder.betweenAddresses has "a.exampel.com", which is not in servers: allowed: deploy@a.example.com, deploy@b.example.com:2222',
  )
})
