import { expect, test } from 'vitest'
import { withEntries, withoutEntries } from '../../../../src/agent/links/authorized-keys.ts'

const entry = (owner: string) => ({
  publicKey: 'ssh-ed25519 AAAA',
  command: `exec '/usr/bin/node' '/srv/a "b"/murder.mjs' 'link' '/srv/x'`,
  expiry: '202601020304',
  owner,
})
const of = (owner: string) => (found: { owner: string }) => found.owner === owner

test('a key may do nothing but its command, and not for ever', () => {
  expect(withEntries('', [entry('1 2')])).toBe(
    `restrict,expiry-time="202601020304",command="exec '/usr/bin/node' '/srv/a \\"b\\"/murder.mjs' 'link' '/srv/x'" ssh-ed25519 AAAA shipit-murder 1 2\n`,
  )
})

test.each([
  '',
  'ssh-rsa AAAA me\n',
  'ssh-rsa AAAA no newline',
  '\n# comment\n\nssh-rsa AAAA me\r\n',
  'ssh-rsa AAAA shipit-murder is my host\n',
])('what others wrote stays as it is: %j', (text) => {
  const changed = withEntries(text, [entry('1 2'), entry('1 2')])
  expect(changed.split('\n').filter((line) => line.includes('expiry-time'))).toHaveLength(2)
  expect(withoutEntries(changed, of('1 2'))).toBe(text)
  expect(withoutEntries(changed, of('3'))).toBe(changed)
})

test('a file that was made goes with the last line, whichever deploy ends first', () => {
  const one = withEntries(undefined, [entry('1')])
  expect(withoutEntries(one, of('1'))).toBeUndefined()
  const two = withEntries(one, [entry('2')])
  expect(withoutEntries(withoutEntries(two, of('1')) ?? '', of('2'))).toBeUndefined()
  expect(withoutEntries(withoutEntries(two, of('2')) ?? '', of('1'))).toBeUndefined()
  expect(withoutEntries(`${one}ssh-rsa AAAA mine\n`, of('1'))).toBe('ssh-rsa AAAA mine\n')
})
