import { expect, test } from 'vitest'
import { whyNot } from '../../../../src/agent/links/why-not.ts'

test.each([
  ['root@10.0.0.2: Permission denied (publickey).', 'sshd does not take a key from ~/.ssh/authorized_keys'],
  ['sh: 1: exec: ssh: not found\n', 'there is no ssh to connect with'],
  ['sh: 1: exec: ssh: Permission denied\n', 'there is no ssh to connect with'],
  ['deploy@ssh: Permission denied (publickey).\r\n', 'sshd does not take a key from ~/.ssh/authorized_keys'],
  ['@@@\nHost key verification failed.\n', 'its host key is not the one that the deploy host knows'],
  [
    'ssh: connect to host 10.0.0.2 port 22: Connection refused\r\n',
    'ssh: connect to host 10.0.0.2 port 22: Connection refused',
  ],
  ['murder: no deploy is running here that this key belongs to', 'the agent there has ended'],
  ['murder: sshd here takes any variable (AcceptEnv)', 'sshd here takes any variable (AcceptEnv)'],
  [
    'sh: 1: murder: not found',
    'sshd runs something else than the command of the key (ForceCommand?): sh: 1: murder: not found',
  ],
  ['', 'sshd runs something else than the command of the key (ForceCommand?): it has ended'],
])('%j', (said, why) => expect(whyNot(said, 'it has ended')).toBe(why))

test('a login with the forwarded agent has other causes', () => {
  const denied = 'root@10.0.0.2: Permission denied (publickey).'
  expect(whyNot(denied, '', 'agent')).toBe('sshd takes no key of the SSH agent that is forwarded')
  const many =
    'Received disconnect from 10.0.0.2 port 22:2: Too many authentication failures\nDisconnected from 10.0.0.2 port 22'
  expect(whyNot(many, '', 'agent')).toBe(
    'sshd tries no more keys of the SSH agent that is forwarded (MaxAuthTries)',
  )
  expect(whyNot('', 'it has ended', 'agent')).toBe(
    'sshd runs something else than what is asked for (ForceCommand?): it has ended',
  )
})
