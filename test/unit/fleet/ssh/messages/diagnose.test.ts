import { expect, test } from 'vitest'
import {
  diagnose,
  isTurnedAway,
  lastWords,
  lostShared,
  outOfTime,
} from '../../../../../src/fleet/ssh/messages/diagnose.ts'
import { asOurs } from '../../../../../src/fleet/ssh/options.ts'

const ending = { server: 'me@web1:2222', step: 'upload', exitCode: 255, signal: null, started: false }

/** Messages as OpenSSH 9.2, sudo 1.9 and dash print them. */
test.each([
  [
    'ssh: connect to host 127.0.0.1 port 2222: Connection refused\r\n',
    'SSH_REFUSED',
    'me@web1:2222: upload: nothing listens on its SSH port 2222',
    'check that sshd runs there and that the port in the shipitfile is right',
  ],
  [
    'Load key "/me/.ssh/id_ed25519": error in libcrypto\r\nme@web1: Permission denied (publickey).\r\n',
    'SSH_KEY_FILE',
    'me@web1:2222: upload: ssh cannot read the private key /me/.ssh/id_ed25519: the file is damaged',
    'copy it again: all its lines, with line breaks of Unix, and one at the end',
  ],
  [
    'Load key "/me/.ssh/id_rsa": invalid format\r\nssh: connect to host 127.0.0.1 port 2222: Connection refused\r\n',
    'SSH_REFUSED',
    'me@web1:2222: upload: nothing listens on its SSH port 2222',
    'check that sshd runs there and that the port in the shipitfile is right',
  ],
  [
    'ssh: Could not resolve hostname web1: Name or service not known\r\n',
    'SSH_DNS',
    'me@web1:2222: upload: the name web1 cannot be resolved',
    'check its spelling in the shipitfile and the name service of this machine',
  ],
  [
    'Host key verification failed.\r\n',
    'SSH_HOST_KEY_UNKNOWN',
    'me@web1:2222: upload: its host key is not known to this machine yet',
    `set "strict: 'accept-new'", or connect to it once by hand and check the key: ssh -p 2222 me@web1`,
  ],
  [
    '@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@@@@\r\nHost key verification failed.\r\n',
    'SSH_HOST_KEY_CHANGED',
    'me@web1:2222: upload: its host key is not the one this machine knows: it was reinstalled, or another machine answers in its place',
    "if you know why, run: ssh-keygen -R '[web1]:2222'",
  ],
  [
    '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nOffending ED25519 key in /me/.ssh/known_hosts:3\r\nHost key for 192.0.2.7 has changed and you have requested strict checking.\r\nHost key verification failed.\r\n',
    'SSH_HOST_KEY_CHANGED',
    'me@web1:2222: upload: its host key is not the one this machine knows: it was reinstalled, or another machine answers in its place',
    'if you know why, run: ssh-keygen -R 192.0.2.7',
  ],
  [
    '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key for [192.0.2.1]:2200 has changed and you have requested strict checking.\r\nHost key verification failed.\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_HOST_KEY_CHANGED',
    'me@web1:2222: upload: the host key of its bastion is not the one this machine knows: it was reinstalled, or another machine answers in its place',
    "if you know why, run: ssh-keygen -R '[192.0.2.1]:2200'",
  ],
  [
    'Host key verification failed.\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_HOST_KEY_UNKNOWN',
    'me@web1:2222: upload: the host key of its bastion is not known to this machine yet',
    'connect to it once by hand and check the key: ssh -p 2222 me@web1',
  ],
  [
    'me@bastion: Permission denied (publickey).\r\nkex_exchange_identification: Connection closed by remote host\r\n',
    'SSH_DENIED',
    'me@web1:2222: upload: the bastion me@bastion refused the login (it accepts publickey)',
    'check user and "key"; a key with a passphrase must be in ssh-agent; this must work: ssh -o BatchMode=yes -p 2222 me@web1',
  ],
  [
    'debug1: connect: Connection refused\nchannel 0: open failed: connect failed: No route to host\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\n',
    'SSH_UNREACHABLE',
    'me@web1:2222: upload: there is no route to it',
    'check that it is up and that this machine reaches its network (VPN, bastion)',
  ],
  [
    'ssh: connect to host 192.0.2.1 port 2200: Connection refused\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_BASTION',
    'me@web1:2222: upload: its bastion 192.0.2.1 refuses connections to port 2200, also on every retry',
    'check that sshd runs on the bastion; if it limits connections, let all servers share one: "ControlMaster auto" and "ControlPersist" for it in ~/.ssh/config',
  ],
  [
    'ssh: connect to host 192.0.2.1 port 22: Network is unreachable\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_BASTION',
    'me@web1:2222: upload: its bastion 192.0.2.1 cannot be reached on port 22: Network is unreachable',
    'check that the bastion is up and that no firewall drops the connection',
  ],
  [
    'ssh: Could not resolve hostname jump: Temporary failure in name resolution\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_DNS',
    'me@web1:2222: upload: the name jump cannot be resolved',
    'check its spelling in the shipitfile and the name service of this machine',
  ],
  [
    'channel 0: open failed: connect failed: Temporary failure in name resolution\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_DNS',
    'me@web1:2222: upload: its bastion cannot resolve the name web1',
    'check its spelling in the shipitfile and the name service of the bastion',
  ],
  [
    'channel 0: open failed: administratively prohibited: open failed\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_BASTION',
    'me@web1:2222: upload: its bastion forbids to forward connections to it',
    'allow it in sshd_config of the bastion (AllowTcpForwarding, PermitOpen)',
  ],
  [
    "debug1: Authenticating to 10.0.0.1:22 as 'me'\ndebug1: Authenticating to 10.0.0.2:2200 as 'me'\nchannel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed\nkex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535\n",
    'SSH_BASTION',
    'me@web1:2222: upload: the bastion 10.0.0.2:2200 forbids to forward connections to it',
    'allow it in sshd_config of the bastion (AllowTcpForwarding, PermitOpen)',
  ],
  [
    'Stdio forwarding request failed: Session open refused by peer\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_BASTION',
    'me@web1:2222: upload: its bastion cannot connect to it',
    'check that it is up, that the bastion reaches its SSH port, and that AllowTcpForwarding there allows it',
  ],
  [
    'stdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_BASTION',
    'me@web1:2222: upload: its bastion cannot connect to it',
    'check that it is up, that the bastion reaches its SSH port, and that AllowTcpForwarding there allows it',
  ],
  [
    'channel 0: open failed: connect failed: Connection refused\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_REFUSED',
    'me@web1:2222: upload: nothing listens on its SSH port 2222',
    'check that sshd runs there and that the port in the shipitfile is right',
  ],
  [
    'kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 192.0.2.1 port 22\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_TURNED_AWAY',
    'me@web1:2222: upload: its bastion 192.0.2.1 closed the connection before the login, also on every retry',
    'raise MaxStartups on the bastion, lower "concurrency", or see if a firewall there has banned this machine',
  ],
  [
    '/bin/bash: line 1: exec: corkscrew: not found\nbanner exchange: Connection to UNKNOWN port 65535: Broken pipe\r\n',
    'SSH_PROXY',
    'me@web1:2222: upload: the ProxyCommand to it cannot be run: /bin/bash: line 1: exec: corkscrew: not found',
    'install that program where it is to run, here or on the bastion, or correct ProxyCommand in ~/.ssh/config',
  ],
  [
    '/bin/sh: 1: exec: /opt/tunnel: not found\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_PROXY',
    'me@web1:2222: upload: the ProxyCommand to it cannot be run: /bin/sh: 1: exec: /opt/tunnel: not found',
    'install that program where it is to run, here or on the bastion, or correct ProxyCommand in ~/.ssh/config',
  ],
  [
    'Warning: x\nproxy: access denied\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    'SSH_PROXY',
    'me@web1:2222: upload: the ProxyCommand to it failed, also on every retry: proxy: access denied',
    'see what that program needs; it is set as ProxyCommand in ~/.ssh/config',
  ],
  [
    "Warning: Permanently added 'x' (ED25519) to the list of known hosts.\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n",
    'SSH_TURNED_AWAY',
    'me@web1:2222: upload: the way to it (ProxyJump, ProxyCommand) ended before its sshd said anything, also on every retry',
    'this must work: ssh -o BatchMode=yes -p 2222 me@web1; if it does, raise MaxStartups there and on the bastion, or lower "concurrency"',
  ],
  ...[
    ['connect failed: Temporary failure in name resolution', 'Temporary failure in name resolution'],
    ['connect failed: Connection refused', 'Connection refused'],
    ['administratively prohibited: open failed', 'administratively prohibited'],
  ].map(([said, why]) => [
    `channel 0: open failed: ${said}\r\nstdio forwarding failed\r\n${'kex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n'.repeat(2)}`,
    'SSH_BASTION',
    `me@web1:2222: upload: a bastion on the way to it cannot connect to the next one: ${why}`,
    'check names and ports in ProxyJump, and that each bastion reaches the next one and may forward to it (AllowTcpForwarding, PermitOpen)',
  ]),
  [
    'me@10.0.0.1: Permission denied (publickey,password).\r\n',
    'SSH_DENIED',
    'me@web1:2222: upload: it refused the login (it accepts publickey, password)',
    'check user and "key"; a key with a passphrase must be in ssh-agent; this must work: ssh -o BatchMode=yes -p 2222 me@web1',
  ],
  [
    'Warning: Identity file nokey not accessible: No such file or directory.\nroot@127.0.0.1: Permission denied (publickey).\n',
    'SSH_KEY_FILE',
    'me@web1:2222: upload: the key file nokey cannot be read',
    'correct "key" in the shipitfile',
  ],
  [
    "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\nPermissions 0644 for 'user' are too open.\nroot@127.0.0.1: Permission denied (publickey).\n",
    'SSH_KEY_FILE',
    'me@web1:2222: upload: ssh ignores the private key because others may read its file',
    'run chmod 600 on the key file',
  ],
  [
    'ssh: connect to host 10.0.0.1 port 22: No route to host\n',
    'SSH_UNREACHABLE',
    'me@web1:2222: upload: there is no route to it',
    'check that it is up and that this machine reaches its network (VPN, bastion)',
  ],
  [
    'ssh: connect to host 10.0.0.1 port 22: Connection timed out\n',
    'SSH_TIMEOUT',
    'me@web1:2222: upload: it did not answer in time',
    'check that it is up and that no firewall drops the connection',
  ],
  [
    'Connection timed out during banner exchange\nConnection to 203.0.113.9 port 22 timed out\n',
    'SSH_TIMEOUT',
    'me@web1:2222: upload: it did not answer in time',
    'check that it is up and that no firewall drops the connection',
  ],
  [
    'kex_exchange_identification: read: Connection reset by peer\nConnection reset by 127.0.0.1 port 2299\n',
    'SSH_TURNED_AWAY',
    'me@web1:2222: upload: its sshd closed the connection before the login, also on every retry',
    'raise MaxStartups there (or on the bastion), lower "concurrency", or see if a firewall has banned this machine',
  ],
  [
    'command-line: line 0: Bad configuration option: foo\n',
    'SSH_CONFIG',
    'me@web1:2222: upload: ssh refuses its configuration: command-line: line 0: Bad configuration option: foo',
    'correct "extraSshOptions" or ~/.ssh/config',
  ],
  [
    "/home/me/.ssh/config line 7: Bad port 'abc'.\n/home/me/.ssh/config: terminating, 1 bad configuration options\n",
    'SSH_CONFIG',
    "me@web1:2222: upload: ssh refuses its configuration: /home/me/.ssh/config line 7: Bad port 'abc'.",
    'correct "extraSshOptions" or ~/.ssh/config',
  ],
  [
    '/c: line 2: Bad configuration option: foo\n/c line 9: invalid time value.\n/c: terminating, 2 bad configuration options\n',
    'SSH_CONFIG',
    'me@web1:2222: upload: ssh refuses its configuration: /c: line 2: Bad configuration option: foo',
    'correct "extraSshOptions" or ~/.ssh/config',
  ],
  [
    '/bin/sh: 1: exec: ssh: not found\n',
    'SSH_MISSING',
    'me@web1:2222: upload: there is no ssh on this machine',
    'install the OpenSSH client',
  ],
  [
    'sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required\n',
    'SUDO_PASSWORD',
    'me@web1:2222: upload: sudo asks for a password there, and "asUser" cannot give one',
    'add a NOPASSWD rule for this user to the sudoers file',
  ],
  [
    'sudo: sorry, you must have a tty to run sudo\n',
    'SUDO_TERMINAL',
    'me@web1:2222: upload: sudo there runs in a terminal only (requiretty), and "asUser" has none',
    'add "Defaults !requiretty", or the same for this user alone, to the sudoers file',
  ],
  [
    'sudo: no tty present and no askpass program specified\n',
    'SUDO_PASSWORD',
    'me@web1:2222: upload: sudo asks for a password there, and "asUser" cannot give one',
    'add a NOPASSWD rule for this user to the sudoers file',
  ],
  [
    'sudo: unknown user nosuch\nsudo: error initializing audit plugin sudoers_audit\n',
    'SUDO_DENIED',
    'me@web1:2222: upload: sudo does not let this user become the user of "asUser"',
    'check "asUser" and the sudoers file',
  ],
  [
    'This account is currently not available.\n',
    'SSH_NO_SHELL',
    'me@web1:2222: upload: this user may log in but not run commands',
    'give the user a login shell (chsh) or deploy as another',
  ],
  [
    'Connection closed by 127.0.0.1 port 2299\n',
    'SSH_LOST',
    'me@web1:2222: upload: the connection broke while it was made',
    'run the same command again',
  ],
  [
    'something new\n',
    'SSH_FAILED',
    'me@web1:2222: upload: no command could be run (exit code 255): something new',
    `this must work: ${asOurs('ssh -p 2222 me@web1')} 'echo ok'`,
  ],
])('before the start: %j', (stderr, code, message, cure) => {
  const error = diagnose({ ...ending, stderr })
  expect({ code: error.code, message: error.message, cure: error.cure }).toEqual({ code, message, cure })
  expect(error).toMatchObject({ server: 'me@web1:2222', step: 'upload' })
})

test.each(['me@a: Permission denied (publickey).\n', 'something new\n', 'Host key verification failed.\n'])(
  'the command by hand is the one of the deploy: %j',
  (stderr) => {
    const byHand = 'ssh -p 2222 -i /k -o ProxyJump=b -o StrictHostKeyChecking=yes me@a'
    const { cure } = diagnose({ ...ending, stderr, byHand })
    const known = stderr.startsWith('Host')
    expect(cure).toMatch(
      known
        ? ': ssh -p 2222 -i /k -o ProxyJump=b me@a'
        : /this must work: ssh -o BatchMode=yes .*-p 2222 -i \/k -o ProxyJump=b -o StrictHostKeyChecking=yes me@a/,
    )
  },
)

test.each([
  [127, 'sh: 1: node: not found\n', 'COMMAND_NOT_FOUND', 'me@web1:2222: upload: sh: 1: node: not found'],
  [
    1,
    'cat: /srv/x: Permission denied\n',
    'COMMAND_FAILED',
    'me@web1:2222: upload: cat: /srv/x: Permission denied',
  ],
  [1, '', 'COMMAND_FAILED', 'me@web1:2222: upload: the command failed without a message (exit code 1)'],
  [
    137,
    'Killed\n',
    'COMMAND_KILLED',
    'me@web1:2222: upload: the program there was killed (SIGKILL), as the kernel does where memory runs out',
  ],
  [
    1,
    'cat: write error: No space left on device\n',
    'DISK_FULL',
    'me@web1:2222: upload: its disk is full: cat: write error: No space left on device',
  ],
  [
    255,
    'Connection to 127.0.0.1 closed by remote host.\r\n',
    'SSH_LOST',
    'me@web1:2222: upload: the connection broke while the command ran',
  ],
  [255, '', 'SSH_LOST', 'me@web1:2222: upload: the connection broke while the command ran'],
  [255, 'my own 255\n', 'COMMAND_FAILED', 'me@web1:2222: upload: my own 255'],
])('after the start: exit code %i, %j', (exitCode, stderr, code, message) => {
  const error = diagnose({ ...ending, started: true, exitCode, stderr })
  expect({ code: error.code, message: error.message }).toEqual({ code, message })
})

test('a part of an IPv6 address is no port', () => {
  const error = diagnose({ ...ending, server: 'me@[fd00::11]', stderr: 'Connection refused\n' })
  expect(error.message).toBe('me@[fd00::11]: upload: nothing listens on its SSH port 22')
  const changed = diagnose({
    ...ending,
    server: 'me@[fd00::11]:2222',
    stderr: 'REMOTE HOST IDENTIFICATION HAS CHANGED',
  })
  expect(changed.cure).toContain("ssh-keygen -R '[fd00::11]:2222'")
})

test.each([
  ['/etc/ssh/known_hosts', 'ssh-keygen -f /etc/ssh/known_hosts -R web1'],
  ['/srv/my keys/hosts', "ssh-keygen -f '/srv/my keys/hosts' -R web1"],
  ['/home/me/.ssh/known_hosts', 'ssh-keygen -R web1'],
])('a changed host key is removed from the file that has it: %s', (file, command) => {
  const stderr = `WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\r\nOffending RSA key in ${file}:7\r\nHost key for web1 has changed\r\n`
  expect(diagnose({ ...ending, stderr }).cure).toBe(`if you know why, run: ${command}`)
})

test('an end by a signal is named', () => {
  const error = diagnose({ ...ending, started: true, exitCode: null, signal: 'SIGKILL', stderr: '' })
  expect(error.message).toBe('me@web1:2222: upload: the command failed without a message (killed by SIGKILL)')
  expect(error.code).toBe('SSH_LOST')
})

test('ssh’s own remarks are not the last words', () => {
  expect(
    lastWords("real cause\r\nWarning: Permanently added 'x' to the list of known hosts.\ndebug1: bye\n\n"),
  ).toBe('real cause')
  expect(lastWords('')).toBeUndefined()
})

test.each([
  ['kex_exchange_identification: Connection closed by remote host\n', true],
  ['ssh_exchange_identification: read: Connection reset by peer\n', true],
  ['Connection closed by 127.0.0.1 port 22\n', false],
  [
    'me@b: Permission denied (publickey).\nkex_exchange_identification: Connection closed by remote host\n',
    false,
  ],
  ['ssh: connect to host a port 22: Connection refused\n', false],
  [
    'ssh: connect to host b port 22: Connection refused\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    true,
  ],
  [
    'channel 0: open failed: administratively prohibited: open failed\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    false,
  ],
  [
    'stdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    false,
  ],
  [
    '/bin/sh: 1: exec: tunnel: not found\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    false,
  ],
  [
    'tunnel: rate exceeded\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    true,
  ],
  ['me@a: Permission denied (publickey).\n', false],
])('whether a retry may help: %j', (stderr, expected) => {
  expect(isTurnedAway({ started: false, stderr })).toBe(expected)
  expect(isTurnedAway({ started: true, stderr })).toBe(false)
})

test('a shared connection that broke before the command differs from one that broke during it', () => {
  const stderr = 'mux_client_request_session: read from master failed: Broken pipe\r\n'
  expect(lostShared({ started: false, stderr })).toBe(true)
  expect(lostShared({ started: true, stderr })).toBe(false)
  expect(lostShared({ started: false, stderr: 'Connection refused' })).toBe(false)
})

test('limits that ran out say which and how long', () => {
  expect(outOfTime('connect', 15, 'a', 'check')).toMatchObject({
    code: 'SSH_TIMEOUT',
    message: 'a: check: it did not answer within 15 s',
    exitCode: 1,
  })
  expect(outOfTime('connect', 15, 'a', 'check', { turns: 2 }).message).toBe(
    'a: check: it did not answer within 15 s on any of 2 tries',
  )
  expect(outOfTime('connect', 15, 'a', 'check', { turns: 1, through: 'its bastion b' })).toMatchObject({
    message: 'a: check: it did not answer within 15 s through its bastion b',
    cure: 'check that it and its bastion b are up and that no firewall drops the connection',
  })
  expect(outOfTime('stall', 60, 'a', 'peer')).toMatchObject({
    code: 'STALLED',
    message: 'a: peer: nothing moved for 60 s',
    exitCode: 3,
  })
  expect(outOfTime('total', 600, 'a', 'peer')).toMatchObject({
    code: 'TIMED_OUT',
    message: 'a: peer: it was not done after 600 s',
    exitCode: 3,
  })
  expect(outOfTime('total', 60, 'a', 'health').cure).toContain('murder.timeouts.health')
})
