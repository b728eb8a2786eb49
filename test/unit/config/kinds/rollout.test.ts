import { expect, test } from 'vitest'
import { commands } from '../../../../src/config/kinds/rollout.ts'
import { loadSettings } from '../../../../src/config/load.ts'

test.each([
  ['systemctl restart app'],
  ['{ ./drain; } && true'],
  ['{"odd" is a program}'],
  [{ web: 'curl -fsS "http://localhost:$PORT"; true', db: "psql -c 'select 1'" }],
])('%j is the same as a variable', (value) => {
  expect(commands.fromText(commands.toText(value))).toEqual(value)
})

test('a variable may have one for each role', () => {
  const servers = [{ host: 'a.example.com', roles: ['web'] }]
  const load = (MURDER_ACTIVATE: string) =>
    loadSettings({ file: {}, env: { MURDER_ACTIVATE }, deployTo: '/srv/app', servers }).settings.activate
  expect(load('{"web": "./restart"}')).toEqual({ web: './restart' })
  expect(() => load('{"wep": "./restart"}')).toThrow('has "wep", which no server has: did you mean web?')
  expect(() => load('{"web": 1}')).toThrow('allowed: a shell command, or one for each role')
  expect(() => load('{}')).toThrow('allowed: a shell command')
})
