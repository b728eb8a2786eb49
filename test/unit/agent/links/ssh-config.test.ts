import { expect, test } from 'vitest'
import { badWordOf, knownHosts, sshConfig } from '../../../../src/agent/links/ssh-config.ts'

const target = {
  name: 'server-1',
  host: '10.0.0.2',
  hosts: ['10.0.0.2'],
  port: 2222,
  user: 'deploy',
  hostKeys: ['ssh-ed25519 AAA', '@cert-authority ssh-rsa BBB'],
  hostName: 'b.example.com',
}

test('what ssh needs, and that it asks nobody and accepts nothing else', () => {
  const lines = sshConfig([target]).split('\n')
  for (const line of [
    'Host server-1',
    '  HostName 10.0.0.2',
    '  Port 2222',
    '  User deploy',
    '  HostKeyAlias b.example.com',
    '  StrictHostKeyChecking yes',
    '  GlobalKnownHostsFile /dev/null',
    '  IdentitiesOnly yes',
    '  BatchMode yes',
  ])
    expect(lines).toContain(line)
})

test('the forwarded agent logs in to what is run with it, and this key to nothing there', () => {
  const lines = sshConfig([{ ...target, command: "exec 'node' 'murder.mjs' 'link' '/d'" }]).split('\n')
  expect(lines).toContain('  IdentityAgent SSH_AUTH_SOCK')
  expect(lines).toContain('  IdentityFile none')
  expect(lines.join('\n')).not.toContain('SetEnv')
})

test('host keys are those that were handed over', () => {
  expect(knownHosts(target)).toBe(
    'b.example.com ssh-ed25519 AAA\n@cert-authority b.example.com ssh-rsa BBB\n',
  )
})

test('words that would have another meaning are found', () => {
  expect(badWordOf(target)).toBeUndefined()
  expect(badWordOf({ ...target, host: 'fd00::1', hostName: '::1' })).toBeUndefined()
  for (const user of ['-oProxyCommand=x', 'a b', 'a\nProxyCommand x', '%h', '"a"', '#a'])
    expect(badWordOf({ ...target, user })).toBe(user)
  for (const command of ['-oProxyCommand=x', 'rm -rf x', 'exec a\nb', 'exec '])
    expect(badWordOf({ ...target, command })).toBe(command)
  expect(badWordOf({ ...target, command: "exec 'a' 'b'" })).toBeUndefined()
  expect(badWordOf({ ...target, host: '10.0.0.2 10.0.0.3' })).toBe('10.0.0.2 10.0.0.3')
})
