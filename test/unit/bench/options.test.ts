import { expect, test } from 'vitest'
import { parseOptions as parseSimulate } from '../../../bench/simulate/options.ts'
import { parseOptions as parseSwarm } from '../../../bench/swarm/options.ts'

test.each([
  ['--servers', '0', '--servers 0: must be a number of at least 1'],
  ['--servers', 'many', '--servers many: must be a number of at least 1'],
  ['--servers', '1.5', '--servers 1.5: must be a whole number'],
  ['--servers', ',', '--servers: name at least one number'],
  ['--rounds', '0', '--rounds 0: must be a number of at least 1'],
  ['--slow', 'server8', '--slow server8: must be like server8=5M'],
  ['--slow', 'server9=5M', '--slow server9=5M: there is no such server'],
  ['--sites', '4', '--sites 4: name at least two, such as 4,4 or 0,1'],
  ['--sites', '4,0', '--sites 0: must be a number of at least 1'],
])('the swarm bench refuses %s %s', (option, value, message) => {
  expect(() => parseSwarm([option, value])).toThrow(message)
})

test.each([
  ['--servers', 'many', '--servers many: must be a number of at least 1'],
  ['--pieces', '0', '--pieces 0: must be a number of at least 1'],
  ['--rate', '0', '--rate 0: what is simulated are links with a limit'],
  ['--latency', 'long', '--latency long: must be a number of at least 0'],
  ['--unequal', '2', '--unequal 2: must be a number from 0 to 0.99'],
  ['--slow', '10', '--slow 10: must leave a server with the full rate'],
])('the simulation refuses %s %s', (option, value, message) => {
  expect(() => parseSimulate([option, value])).toThrow(message)
})

test('a server on a slower link is named with or without its word', () => {
  expect(parseSwarm(['--slow', '8=5M', '--slow', 'server1=1M']).slow).toEqual({ server8: 5e6, server1: 1e6 })
})
