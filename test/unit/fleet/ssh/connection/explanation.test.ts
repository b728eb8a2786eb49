import { expect, test } from 'vitest'
import { messagesIn, verboseProxy } from '../../../../../src/fleet/ssh/connection/explanation.ts'

test.each([
  ['ssh -W %h:%p bastion', 'ssh -v -W %h:%p bastion'],
  ['/usr/bin/ssh -q -W %h:%p bastion', '/usr/bin/ssh -v -W %h:%p bastion'],
  ['ssh -qW %h:%p bastion 2>/dev/null', 'ssh -v -W %h:%p bastion'],
  ['ssh bastion -W %h:%p -q', 'ssh -v bastion -W %h:%p'],
  ['ssh -q me@bastion nc -q 0 %h %p', 'ssh -v me@bastion nc -q 0 %h %p'],
  ['nc -q 1 -X connect -x proxy:3128 %h %p', 'nc -q 1 -X connect -x proxy:3128 %h %p'],
  ['sshuttle %h', 'sshuttle %h'],
])('the ProxyCommand %j says more as %j', (command, verbose) => {
  expect(verboseProxy(command)).toBe(verbose)
})

test('of what a verbose ssh says its messages stay, and who was on the way', () => {
  const said = [
    'OpenSSH_9.2p1 Debian',
    'debug1: Connecting to b [192.0.2.1] port 22.',
    "debug1: Authenticating to b:22 as 'me'",
    'Authenticated to b ([192.0.2.1]:22) using "publickey".',
    'stdio forwarding failed',
    'Killed by signal 1.',
  ]
  expect(messagesIn(said.join('\r\n'))).toBe(
    "debug1: Authenticating to b:22 as 'me'\nstdio forwarding failed",
  )
})
