import { expect, test } from 'vitest'
import { withUsableAddresses } from '../../../../src/deploy/preflight/usable-addresses.ts'
import type { ServerFacts } from '../../../../src/deploy/scripts/facts-script.ts'

const saying = (clientAddress: string | undefined, serverAddress: string | undefined, addresses: string[]) =>
  ({ clientAddress, serverAddress, addresses }) as ServerFacts
const here = ['10.0.0.1', 'fd00::1']

test.each([
  ['a server whose sshd sees addresses', saying('10.0.0.1', '10.0.0.2', ['10.9.9.9', '10.0.0.2'])],
  ['the deploy host as a server', saying('127.0.0.1', '127.0.0.2', ['10.0.0.1'])],
  ['a server that knows no address of its own', saying('127.0.0.1', '127.0.0.1', [])],
])('%s keeps what it says', (_, facts) => {
  expect(withUsableAddresses(facts, here)).toEqual(facts)
})

test.each(['127.0.0.1', '::1'])('at the end of a tunnel %s is told to nobody', (loopback) => {
  const found = withUsableAddresses(saying(loopback, loopback, ['127.0.0.1', '10.0.0.2', '172.17.0.1']), here)
  expect(found).toMatchObject({ clientAddress: undefined, serverAddress: '10.0.0.2' })
})

test('an address that many machines have does not make them one', () => {
  const bridge = '172.17.0.1'
  const facts = saying('127.0.0.1', '127.0.0.1', ['10.0.0.2', bridge])
  expect(withUsableAddresses(facts, [...here, bridge]).serverAddress).toBe('10.0.0.2')
})
