import { ExitCode, MurderError } from '../errors.ts'

/** How a command over SSH ended. */
export interface Ending {
  server: string
  step: string
  exitCode: number | null
  signal: string | null
  /** Whether the script began to run on the server. Before that, everything on stderr is ssh's or the login shell's. */
  started: boolean
  /** The tail of stderr. */
  stderr: string
}

interface Finding {
  code: string
  /** What happened, after "server: ". */
  what: string
  cure?: string
}

type Rule = [pattern: RegExp, finding: (match: RegExpExecArray, server: string) => Finding]

const hostOf = (server: string) => server.replace(/^.*@/, '').replace(/:\d+$/, '')

/** Messages of OpenSSH's client, sudo and login shells before the script starts. The first that matches counts. */
const beforeStart: Rule[] = [
  [
    /Could not resolve hostname (\S+?):|connect failed: (?:Name or service not known|nodename nor servname)/,
    ([, host], server) => ({
      code: 'SSH_DNS',
      what: `the name ${host ?? hostOf(server)} cannot be resolved`,
      cure: 'check its spelling in "servers" and the name service of this machine',
    }),
  ],
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    (_, server) => ({
      code: 'SSH_HOST_KEY_CHANGED',
      what: 'its host key is not the one this machine knows: it was reinstalled, or another machine answers in its place',
      cure: `if you know why, run: ssh-keygen -R ${knownHostsName(server)}`,
    }),
  ],
  [
    /Host key verification failed|No \S+ host key is known for/,
    (_, server) => ({
      code: 'SSH_HOST_KEY_UNKNOWN',
      what: 'its host key is not known to this machine yet',
      cure: `connect to it once by hand (${byHand(server)}) and check the key, or set "strict: 'accept-new'"`,
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
    ([, login, methods], server) => ({
      code: 'SSH_DENIED',
      what: `${refusedBy(login, server)} refused the login${methods ? ` (it accepts ${methods.replaceAll(',', ', ')})` : ''}`,
      cure: `check user and "key"; a key with a passphrase must be in ssh-agent; this must work: ${byHand(server, '-o BatchMode=yes ')}`,
    }),
  ],
  [
    /Connection refused/,
    (_, server) => ({
      code: 'SSH_REFUSED',
      what: `nothing listens on its SSH port ${portOf(server)}`,
      cure: 'check that sshd runs there and that the port in "servers" is right',
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

/** Once a script has started only these say that the connection, not the script, has failed. */
const lost =
  /Connection to \S+ closed by remote host|client_loop: send disconnect|Timeout, server .* not responding|Connection reset by|packet_write_wait|ssh_dispatch_run_fatal|read from master failed|Shared connection to \S+ closed|^$/

const sshNoise =
  /^(?:debug\d: |Warning: Permanently added |Pseudo-terminal will not be|Shared connection to |ControlSocket .* already exists|mux_client_|Control socket connect\(|\*\* )/

/** The failure that a non-zero ending (or one without a start) stands for, in the user's terms. Pure. */
export function diagnose(ending: Ending): MurderError {
  const { code, what, cure } = find(ending)
  const { server, step, stderr } = ending
  return new MurderError(code, `${server}: ${step}: ${what}`, {
    server,
    step,
    ...(cure === undefined ? {} : { cure }),
    cause: stderr.trim(),
  })
}

/** Whether sshd dropped the connection before the login, as it does when too many come at once: worth a retry. */
export function isTurnedAway(ending: Pick<Ending, 'started' | 'stderr'>): boolean {
  return !ending.started && match(ending.stderr, '')?.code === 'SSH_TURNED_AWAY'
}

/** Whether the shared connection broke before the command had a session on it: worth a new connection. */
export function lostShared(ending: Pick<Ending, 'started' | 'stderr'>): boolean {
  return !ending.started && /^mux_client_\w+: .*(?:master|packet|Broken pipe)/m.test(ending.stderr)
}

/** The last line of `stderr` that says something, without ssh's own remarks; undefined when there is none. */
export function lastWords(stderr: string): string | undefined {
  const lines = stderr.split(/[\r\n]+/).map((line) => line.trim())
  return lines.findLast((line) => line !== '' && !sshNoise.test(line))?.slice(0, 500)
}

function find(ending: Ending): Finding {
  return ending.started ? afterStart(ending) : notStarted(ending)
}

function match(stderr: string, server: string): Finding | undefined {
  const text = stderr.replaceAll(/^debug\d: .*$/gm, '')
  for (const [pattern, finding] of beforeStart) {
    const found = pattern.exec(text)
    if (found) return finding(found, server)
  }
  return undefined
}

function notStarted({ stderr, server, exitCode, signal }: Ending): Finding {
  const known = match(stderr, server)
  if (known) return known
  const said = lastWords(stderr)
  return {
    code: 'SSH_FAILED',
    what: `no command could be run (${ended(exitCode, signal)})${said ? `: ${said}` : ''}`,
    cure: `this must work: ${byHand(server, '-o BatchMode=yes ')} 'echo ok'`,
  }
}

function afterStart({ stderr, exitCode, signal }: Ending): Finding {
  const said = lastWords(stderr)
  if (exitCode === 255 && lost.test(said ?? stderr.trim())) {
    return {
      code: 'SSH_LOST',
      what: 'the connection broke while the command ran',
      cure: 'run the same command again',
    }
  }
  if (/No space left on device|Disk quota exceeded/.test(stderr)) {
    return { code: 'DISK_FULL', what: `its disk is full: ${said}`, cure: 'free space there' }
  }
  if (exitCode === 127 && said) {
    return { code: 'COMMAND_NOT_FOUND', what: said, cure: 'install it there, or set its full path' }
  }
  return {
    code: 'COMMAND_FAILED',
    what: said ?? `the command failed without a message (${ended(exitCode, signal)})`,
  }
}

function ended(exitCode: number | null, signal: string | null): string {
  return exitCode === null ? `killed by ${signal ?? 'a signal'}` : `exit code ${exitCode}`
}

/** A refused login names who refused it, which may be a bastion on the way. */
function refusedBy(login: string | undefined, server: string): string {
  const [, host] = login?.split('@') ?? []
  return host === undefined || host === hostOf(server) ? 'it' : `the bastion ${login}`
}

function portOf(server: string): string {
  return /:(\d+)$/.exec(server)?.[1] ?? '22'
}

function byHand(server: string, options = ''): string {
  const port = portOf(server)
  return `ssh ${options}${port === '22' ? '' : `-p ${port} `}${server.replace(/:\d+$/, '')}`
}

function knownHostsName(server: string): string {
  const port = portOf(server)
  return port === '22' ? hostOf(server) : `'[${hostOf(server)}]:${port}'`
}

/** A limit that ran out, in seconds. `connect` runs until the script starts, `stall` whenever nothing moves. */
export function outOfTime(
  limit: 'connect' | 'stall' | 'total',
  seconds: number,
  server: string,
  step: string,
): MurderError {
  const [code, what, cure] = {
    connect: [
      'SSH_TIMEOUT',
      `it did not answer within ${seconds} s`,
      'check that it is up and that no firewall drops the connection',
    ],
    stall: [
      'STALLED',
      `nothing moved for ${seconds} s`,
      'check the server and its network, or raise the stall timeout',
    ],
    total: ['TIMED_OUT', `it was not done after ${seconds} s`, 'raise the total timeout'],
  }[limit] as [string, string, string]
  const exitCode = limit === 'connect' ? ExitCode.failed : ExitCode.stalled
  return new MurderError(code, `${server}: ${step}: ${what}`, { server, step, cure, exitCode })
}
