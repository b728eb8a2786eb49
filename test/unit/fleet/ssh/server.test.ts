import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseVersion } from '../../../../src/fleet/ssh/client-version.ts'
import { makeControlDirectory } from '../../../../src/fleet/ssh/connection/control-directory.ts'
import { asOurs, sshCommand, withOptions } from '../../../../src/fleet/ssh/options.ts'
import { type Server, toServers } from '../../../../src/fleet/ssh/server.ts'
import { poolOf } from '../../../support/pool.ts'

const fleet = (...remotes: Parameters<typeof poolOf>[0]) => toServers(poolOf(remotes))

test('a server is called by user, host and, when it is not 22, port', () => {
  const servers = fleet('me@a', 'me@a:2222', { host: 'B', user: 'you' }, { host: 'c', port: 22 })
  expect(servers.map(({ label }) => label)).toEqual(['me@a', 'me@a:2222', 'you@b', 'deploy@c'])
})

test('an IPv6 address has brackets in its label, and none for ssh', () => {
  const [plain, ported] = fleet(
    { host: 'FD00:1::11', user: 'me' },
    { host: 'fd00:1::11', user: 'me', port: 2222 },
  ) as [Server, Server]
  expect([plain.label, ported.label]).toEqual(['me@[fd00:1::11]', 'me@[fd00:1::11]:2222'])
  expect(ported.byHand).toBe('ssh -p 2222 me@fd00:1::11')
})

test.each([
  ['me@fd00:1::11', "{ host: 'fd00:1::11', user: 'me' }"],
  ['me@[fd00:1::11]:2222', "{ host: 'fd00:1::11', user: 'me', port: 2222 }"],
  ['fd00:1::11', "{ host: 'fd00:1::11', user: 'deploy' }"],
  [{ host: '[::1]', user: 'me', port: 22 }, "{ host: '::1', user: 'me', port: 22 }"],
])('%j, which ssh-pool or ssh would misread, is refused with the object to write', (remote, object) => {
  const text = typeof remote === 'string' ? remote : remote.host
  expect(() => fleet(remote)).toThrow(
    expect.objectContaining({
      message: `${JSON.stringify(text)} in "servers" does not reach ssh as an IPv6 address`,
      cure: `write it as an object: ${object}`,
    }),
  )
})

test.each([
  [['me@a', 'me@b', 'me@A:22'], 'me@a is in "servers" twice'],
  [[], 'There are no servers to deploy to'],
  [['me@$(touch x)'], '"$(touch x)" in "servers" is no host or user name'],
  [[{ host: 'a b', user: 'me' }], '"a b" in "servers" is no host or user name'],
  [[{ host: 'a', user: '-oProxyCommand=x' }], '"-oProxyCommand=x" in "servers" is no host or user name'],
  [[{ host: 'a', user: 'me', port: 70000 }], 'Port 70000 of a is no port number'],
])('%j is refused', (remotes, message) => {
  expect(() => fleet(...remotes)).toThrow(expect.objectContaining({ message, exitCode: 2 }))
})

describe('options', () => {
  const remote = { host: 'a', user: 'me' }

  test('are added to a copy', () => {
    const changed = withOptions(remote, 7, '/tmp/x/0')
    expect(remote).toEqual({ host: 'a', user: 'me' })
    expect(changed).toEqual({
      host: 'a',
      user: 'me',
      extraSshOptions: {
        ControlMaster: 'no',
        ControlPath: '/tmp/x/0',
        ControlPersist: 'no',
        ConnectTimeout: '7',
        ServerAliveInterval: '10',
        ServerAliveCountMax: '3',
        BatchMode: 'yes',
        ClearAllForwardings: 'yes',
        Tunnel: 'no',
        PermitLocalCommand: 'no',
      },
    })
  })

  test('of the user win, whatever their spelling', () => {
    const own = { connecttimeout: '99', BATCHMODE: 'no', ProxyJump: 'bastion' }
    const { extraSshOptions } = withOptions({ ...remote, extraSshOptions: own }, 7, '/tmp/x/0')
    expect(extraSshOptions).toMatchObject(own)
    expect(extraSshOptions).not.toHaveProperty('ConnectTimeout')
    expect(extraSshOptions).not.toHaveProperty('BatchMode')
  })

  test('forwardings of ~/.ssh/config are left out, those of the shipitfile are not', () => {
    const own = { remoteforward: '8998 localhost:8998', Tunnel: 'yes' }
    const { extraSshOptions } = withOptions({ ...remote, extraSshOptions: own }, 7, '/tmp/x/0')
    expect(extraSshOptions).toMatchObject(own)
    expect(extraSshOptions).not.toHaveProperty('ClearAllForwardings')
  })

  test('a user’s own multiplexing is left alone', () => {
    const own = { ControlPath: '~/.ssh/%C' }
    const { extraSshOptions } = withOptions({ ...remote, extraSshOptions: own }, 7, '/tmp/x/0')
    expect(Object.keys(extraSshOptions ?? {}).filter((name) => name.startsWith('Control'))).toEqual([
      'ControlPath',
    ])
  })
})

describe('command lines', () => {
  const [server] = toServers(
    poolOf(
      [{ host: 'a', user: 'me', port: 2222, extraSshOptions: { requesttty: 'force', ProxyJump: 'b' } }],
      {
        key: '/k',
        strict: 'no',
        asUser: 'www',
      },
    ),
  )
  if (!server) throw new Error('no server')
  const ssh =
    'ssh -p 2222 -i /k -o ProxyJump=b -o RequestTTY=no -o RemoteCommand=none -o SessionType=default -o StdinNull=no -o ForkAfterAuthentication=no -o LogLevel=INFO'

  test('keep what the user has set, but always run the command, without a terminal', () => {
    expect(sshCommand(server, 'id', {}, 9.2)).toBe(
      `${ssh} -o StrictHostKeyChecking=no me@a "sudo -u www bash -c 'id'"`,
    )
    expect(server.connection.remote.extraSshOptions).toEqual({ requesttty: 'force', ProxyJump: 'b' })
  })

  test('by hand run the command that is given, too, whatever ~/.ssh/config says', () => {
    const ours = '-o ClearAllForwardings=yes -o Tunnel=no -o PermitLocalCommand=no -o RequestTTY=no'
    expect(asOurs('ssh -p 2 me@a', 8.6)).toBe(`ssh -o BatchMode=yes ${ours} -o RemoteCommand=none -p 2 me@a`)
    const own = 'ssh -o LocalForward=1:b:1 -o tunnel=yes me@a'
    expect(asOurs(own, 7.4)).toBe(
      `ssh -o BatchMode=yes -o PermitLocalCommand=no -o RequestTTY=no ${own.slice(4)}`,
    )
    const config = join(mkdtempSync(join(tmpdir(), 'asours-')), 'config')
    onTestFinished(() => rmSync(dirname(config), { recursive: true }))
    writeFileSync(config, 'Host *\nRemoteCommand echo mine\nLocalForward 1 b:1\nRequestTTY force\n')
    const seen = (line: string) => execFileSync('sh', ['-c', line], { encoding: 'utf8' })
    expect(seen(`ssh -G -F ${config} a`)).toMatch(/^remotecommand echo mine$/m)
    expect(seen(asOurs(`ssh -G -F ${config} a`))).not.toMatch(/echo mine|^localforward|^requesttty force/m)
  })

  test('have no option that the ssh here does not know', () => {
    expect(sshCommand(server, 'id', {}, 7.4)).toContain('-o ProxyJump=b -o RequestTTY=no -o LogLevel=INFO -o')
    expect(sshCommand(server, 'id', {}, 8.6)).toContain('-o RequestTTY=no -o RemoteCommand=none -o LogLevel')
    expect(parseVersion('OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026\n')).toBe(9.2)
    expect(parseVersion('OpenSSH_for_Windows_8.1p1, LibreSSL 3.0.2\n')).toBe(8.1)
    expect(parseVersion('')).toBe(0)
  })

  test.each([
    ['QUIET', 'INFO'],
    ['debug1', 'debug1'],
    ['ERROR', 'ERROR'],
  ])('with LogLevel %s in the shipitfile have %s: ssh must say why it fails', (level, expected) => {
    const [one] = toServers(poolOf([{ host: 'a', user: 'me', extraSshOptions: { loglevel: level } }]))
    const line = sshCommand(one as Server, 'id')
    expect([...line.matchAll(/loglevel=(\S+)/gi)].map(([, value]) => value)).toEqual([expected])
  })

  test('by hand are those of the user', () => {
    expect(server.byHand).toBe(
      'ssh -p 2222 -i /k -o requesttty=force -o ProxyJump=b -o StrictHostKeyChecking=no me@a',
    )
  })

  test('of the shared connection are the login user’s', () => {
    expect(sshCommand(server, 'cat', { login: true, ControlMaster: 'yes' }, 9.2)).toBe(
      `${ssh} -o ControlMaster=yes -o StrictHostKeyChecking=no me@a "cat"`,
    )
  })
})

test.each([`/tmp/${'long'.repeat(20)}`, '/tmp/with space', '/tmp/100%', 'relative'])(
  'control sockets do not go to %s',
  (parent) => {
    const directory = makeControlDirectory(parent)
    rmSync(directory, { recursive: true })
    expect(directory).toMatch(/^\/tmp\/murder-\w{6}$/)
  },
)
