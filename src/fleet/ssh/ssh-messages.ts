export interface Finding {
  code: string
  /** What happened, after "server: ". */
  what: string
  cure?: string
}

type Rule = [pattern: RegExp, finding: (match: RegExpExecArray, server: string) => Finding]

/** Messages of OpenSSH's client, sudo and login shells before the script starts. The first that matches counts. */
const beforeStart: Rule[] = [
  [
    /Could not resolve hostname (\S+?):|connect failed: (?:Name or service not known|nodename nor servname)/,
    ([, host], server) => ({
      code: 'SSH_DNS',
      what: `the name ${host ?? hostOf(server)} cannot be resolved`,
      cure: 'check its spelling in the shipitfile and the name service of this machine',
    }),
  ],
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED(?:[\s\S]*Host key for (\S+) has changed)?/,
    ({ 1: name, input }, server) => ({
      code: 'SSH_HOST_KEY_CHANGED',
      what: bastions(
        input,
        'its host key is not the one this machine knows: it was reinstalled, or another machine answers in its place',
      ),
      cure: `if you know why, run: ssh-keygen -R ${knownHostsName(name, server)}`,
    }),
  ],
  [
    /Host key verification failed|No \S+ host key is known for/,
    ({ input }, server) => ({
      code: 'SSH_HOST_KEY_UNKNOWN',
      what: bastions(input, 'its host key is not known to this machine yet'),
      // "strict" does not go for the bastion.
      cure: `connect to it once by hand (${byHand(server)}) and check the key${isBastions(input) ? '' : `, or set "strict: 'accept-new'"`}`,
    }),
  ],
  [
    /UNPROTECTED PRIVATE KEY FILE|Permissions \d+ for '[^']*' are too open/,
    () => ({
      code: 'SSH_KEY_FILE',
      what: 'ssh ignores the private key because others may read its file',
      cure: 'run chmod 600 on the key file',
    }),
  ],
  [
    /Identity file (\S+) not accessible/,
    ([, file]) => ({
      code: 'SSH_KEY_FILE',
      what: `the key file ${file} cannot be read`,
      cure: 'correct "key" in the shipitfile',
    }),
  ],
  [
    /(?:(\S+@\S+): )?(?:Permission denied \(([^)]*)\)|Too many authentication failures)/,
    ({ 1: login, 2: methods, input }, server) => ({
      code: 'SSH_DENIED',
      what: `${refusedBy(login, input)} refused the login${methods ? ` (it accepts ${methods.replaceAll(',', ', ')})` : ''}`,
      cure: `check user and "key"; a key with a passphrase must be in ssh-agent; this must work: ${byHand(server, '-o BatchMode=yes ')}`,
    }),
  ],
  [
    /Connection refused/,
    (_, server) => ({
      code: 'SSH_REFUSED',
      what: `nothing listens on its SSH port ${portOf(server)}`,
      cure: 'check that sshd runs there and that the port in the shipitfile is right',
    }),
  ],
  [
    /No route to host|Network is unreachable|Network is down|Host is down/,
    () => ({
      code: 'SSH_UNREACHABLE',
      what: 'there is no route to it',
      cure: 'check that it is up and that this machine reaches its network (VPN, bastion)',
    }),
  ],
  [
    /Connection timed out|Operation timed out|Connection to \S+ port \d+ timed out|Timeout, server .* not responding/,
    () => ({
      code: 'SSH_TIMEOUT',
      what: 'it did not answer in time',
      cure: 'check that it is up and that no firewall drops the connection',
    }),
  ],
  [
    /kex_exchange_identification|ssh_exchange_identification|banner exchange: /,
    () => ({
      code: 'SSH_TURNED_AWAY',
      what: 'its sshd closed the connection before the login, also on every retry',
      cure: 'raise MaxStartups there (or on the bastion), lower "concurrency", or see if a firewall has banned this machine',
    }),
  ],
  [
    /Unable to negotiate|no matching (?:host key|key exchange|cipher|mac)/i,
    () => ({
      code: 'SSH_NO_COMMON_ALGORITHM',
      what: 'its sshd and the ssh here have no algorithm in common',
      cure: 'update the older of the two',
    }),
  ],
  [
    /Bad configuration option|terminating, \d+ bad configuration|command-line line 0|keyword \S+ extra arguments/,
    () => ({
      code: 'SSH_CONFIG',
      what: 'ssh refuses its configuration',
      cure: 'correct "extraSshOptions" or ~/.ssh/config',
    }),
  ],
  [
    /(?:^|\n)(?:\S*sh: )?(?:\d+: |line \d+: )?(?:exec: )?ssh: (?:command )?not found/,
    () => ({
      code: 'SSH_MISSING',
      what: 'there is no ssh on this machine',
      cure: 'install the OpenSSH client',
    }),
  ],
  [
    /sudo: .*(?:password is required|terminal is required|must have a tty|no tty present|askpass)/,
    () => ({
      code: 'SUDO_PASSWORD',
      what: 'sudo asks for a password there, and "asUser" cannot give one',
      cure: 'add a NOPASSWD rule for this user to the sudoers file',
    }),
  ],
  [
    /is not in the sudoers file|is not allowed to execute|sudo: unknown user/,
    () => ({
      code: 'SUDO_DENIED',
      what: 'sudo does not let this user become the user of "asUser"',
      cure: 'check "asUser" and the sudoers file',
    }),
  ],
  [
    /sudo: (?:command )?not found|sudo: No such file/i,
    () => ({
      code: 'SUDO_MISSING',
      what: 'it has no sudo, which "asUser" needs',
      cure: 'install sudo or remove "asUser"',
    }),
  ],
  [
    /account is currently not available|account is (?:expired|locked)|This service allows sftp connections only/i,
    () => ({
      code: 'SSH_NO_SHELL',
      what: 'this user may log in but not run commands',
      cure: 'give the user a login shell (chsh) or deploy as another',
    }),
  ],
  [
    /Connection (?:closed|reset) by|Connection to \S+ closed|Broken pipe|Connection reset by peer/,
    () => ({
      code: 'SSH_LOST',
      what: 'the connection broke while it was made',
      cure: 'run the same command again',
    }),
  ],
]

/** What `stderr` from before the start of a script says, ssh's own debugging aside; undefined when it is nothing known. */
export function findBeforeStart(stderr: string, server: string): Finding | undefined {
  const text = stderr.replaceAll(/^debug\d: .*$/gm, '')
  for (const [pattern, finding] of beforeStart) {
    const found = pattern.exec(text)
    if (found) return finding(found, server)
  }
  return undefined
}

/** Who refused the login. The message has a server's real address, not its name in "servers", so that says nothing. */
function refusedBy(login: string | undefined, stderr: string): string {
  return login && isBastions(stderr) ? `the bastion ${login}` : 'it'
}

/** Only when it fails at a bastion does ssh see the connection through it end before any greeting. */
const isBastions = (stderr: string) => /kex_exchange_identification|UNKNOWN port/.test(stderr)

/** `what` of the bastion's host key, where it is that one. */
const bastions = (stderr: string, what: string) =>
  isBastions(stderr) ? what.replace('its host key', 'the host key of its bastion') : what

function portOf(server: string): string {
  return /:(\d+)$/.exec(server)?.[1] ?? '22'
}

/** The command that does the same login by hand. */
export function byHand(server: string, options = ''): string {
  const port = portOf(server)
  return `ssh ${options}${port === '22' ? '' : `-p ${port} `}${server.replace(/:\d+$/, '')}`
}

/** The name that its key is filed under: `told` by ssh, which may know it from ~/.ssh/config, or else its name in "servers". */
function knownHostsName(told: string | undefined, server: string): string {
  const port = portOf(server)
  const name = told ?? (port === '22' ? hostOf(server) : `[${hostOf(server)}]:${port}`)
  return name.startsWith('[') ? `'${name}'` : name
}

const hostOf = (server: string) => server.replace(/^.*@/, '').replace(/:\d+$/, '')
