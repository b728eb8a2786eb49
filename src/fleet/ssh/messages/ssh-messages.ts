import { parseServerName } from '../../../text/server-name.ts'
import { quoteIfNeeded } from '../../../text/shell-quote.ts'
import { bastionMessages, betweenBastions, proxyEnded, proxySaid } from './bastion-messages.ts'
import { type Finding, firstFinding, inBatch, type Message } from './message.ts'

const unknownHost: Message = {
  pattern:
    /Could not resolve hostname (\S+?):|connect failed: (?:Name or service not known|nodename nor servname|Temporary failure in name)/,
  code: 'SSH_DNS',
  what: ([, host], { server }) =>
    host ? `the name ${host} cannot be resolved` : `its bastion cannot resolve the name ${hostOf(server)}`,
  cure: ([, host]) =>
    `check its spelling in the shipitfile and the name service of ${host ? 'this machine' : 'the bastion'}`,
}

const hostKeyChanged: Message = {
  pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED(?:[\s\S]*Host key for (\S+) has changed)?/,
  code: 'SSH_HOST_KEY_CHANGED',
  what: ({ input }) =>
    ofBastion(
      input,
      'its host key is not the one this machine knows: it was reinstalled, or another machine answers in its place',
    ),
  cure: ({ 1: name, input }, { server }) =>
    `if you know why, run: ssh-keygen ${inKnownHosts(input)}-R ${knownHostsName(name, server)}`,
}

const hostKeyUnknown: Message = {
  pattern: /Host key verification failed|No \S+ host key is known for/,
  code: 'SSH_HOST_KEY_UNKNOWN',
  what: ({ input }) => ofBastion(input, 'its host key is not known to this machine yet'),
  // "strict" does not apply to the bastion.
  cure: ({ input }, login) =>
    `${isBastions(input) ? '' : `set "strict: 'accept-new'", or `}connect to it once by hand and check the key: ${withoutStrict(login.byHand)}`,
}

const keyFileOpen: Message = {
  pattern: /UNPROTECTED PRIVATE KEY FILE|Permissions \d+ for '[^']*' are too open/,
  code: 'SSH_KEY_FILE',
  what: 'ssh ignores the private key because others may read its file',
  cure: 'run chmod 600 on the key file',
}

const keyFileUnreadable: Message = {
  pattern: /Identity file (\S+) not accessible/,
  code: 'SSH_KEY_FILE',
  what: ([, file]) => `the key file ${file} cannot be read`,
  cure: 'correct "key" in the shipitfile',
}

/** Another key may have been taken, so this counts only where the login was refused. */
const keyFileBroken: Message = {
  pattern: /Load key "(.+)": (?:error in libcrypto|invalid format)[\s\S]*Permission denied \(/,
  code: 'SSH_KEY_FILE',
  what: ([, file]) => `ssh cannot read the private key ${file}: the file is damaged`,
  cure: 'copy it again: all its lines, with line breaks of Unix, and one at the end',
}

const denied: Message = {
  pattern: /(?:(\S+@\S+): )?(?:Permission denied \(([^)]*)\)|Too many authentication failures)/,
  code: 'SSH_DENIED',
  what: ({ 1: login, 2: methods, input }) =>
    `${refusedBy(login, input)} refused the login${methods ? ` (it accepts ${methods.replaceAll(',', ', ')})` : ''}`,
  cure: (_, login) =>
    `check user and "key"; a key with a passphrase must be in ssh-agent; this must work: ${inBatch(login.byHand)}`,
}

const refused: Message = {
  pattern: /Connection refused/,
  code: 'SSH_REFUSED',
  what: (_, { server }) => `nothing listens on its SSH port ${portOf(server)}`,
  cure: 'check that sshd runs there and that the port in the shipitfile is right',
}

const unreachable: Message = {
  pattern: /No route to host|Network is unreachable|Network is down|Host is down/,
  code: 'SSH_UNREACHABLE',
  what: 'there is no route to it',
  cure: 'check that it is up and that this machine reaches its network (VPN, bastion)',
}

const timedOut: Message = {
  pattern:
    /Connection timed out|Operation timed out|Connection to \S+ port \d+ timed out|Timeout, server .* not responding/,
  code: 'SSH_TIMEOUT',
  what: 'it did not answer in time',
  cure: 'check that it is up and that no firewall drops the connection',
}

const turnedAway: Message = {
  pattern: /kex_exchange_identification|ssh_exchange_identification|banner exchange: /,
  code: 'SSH_TURNED_AWAY',
  what: 'its sshd closed the connection before the login, also on every retry',
  cure: 'raise MaxStartups there (or on the bastion), lower "concurrency", or see if a firewall has banned this machine',
  passes: true,
}

const noCommonAlgorithm: Message = {
  pattern: /Unable to negotiate|no matching (?:host key|key exchange|cipher|mac)/i,
  code: 'SSH_NO_COMMON_ALGORITHM',
  what: 'its sshd and the ssh here have no algorithm in common',
  cure: 'update the older of the two',
}

/** Of an option, or of a file: then ssh counts its bad lines last. */
const badConfiguration: Message = {
  pattern:
    /^(command-line:? line 0: .+)|^(.+? line \d+: .+)(?=[\s\S]*terminating, \d+ bad)|terminating, \d+ bad configuration/m,
  code: 'SSH_CONFIG',
  what: ([, option, line = option]) => `ssh refuses its configuration${line ? `: ${line}` : ''}`,
  cure: 'correct "extraSshOptions" or ~/.ssh/config',
}

const sshMissing: Message = {
  pattern: /(?:^|\n)(?:\S*sh: )?(?:\d+: |line \d+: )?(?:exec: )?ssh: (?:command )?not found/,
  code: 'SSH_MISSING',
  what: 'there is no ssh on this machine',
  cure: 'install the OpenSSH client',
}

const sudoTerminal: Message = {
  pattern: /sudo: sorry, you must have a tty/,
  code: 'SUDO_TERMINAL',
  what: 'sudo there runs in a terminal only (requiretty), and "asUser" has none',
  cure: 'add "Defaults !requiretty", or the same for this user alone, to the sudoers file',
}

const sudoPassword: Message = {
  pattern: /sudo: .*(?:password is required|terminal is required|no tty present|askpass)/,
  code: 'SUDO_PASSWORD',
  what: 'sudo asks for a password there, and "asUser" cannot give one',
  cure: 'add a NOPASSWD rule for this user to the sudoers file',
}

const sudoDenied: Message = {
  pattern: /is not in the sudoers file|is not allowed to execute|sudo: unknown user/,
  code: 'SUDO_DENIED',
  what: 'sudo does not let this user become the user of "asUser"',
  cure: 'check "asUser" and the sudoers file',
}

const sudoMissing: Message = {
  pattern: /sudo: (?:command )?not found|sudo: No such file/i,
  code: 'SUDO_MISSING',
  what: 'it has no sudo, which "asUser" needs',
  cure: 'install sudo or remove "asUser"',
}

const noShell: Message = {
  pattern:
    /account is currently not available|account is (?:expired|locked)|This service allows sftp connections only/i,
  code: 'SSH_NO_SHELL',
  what: 'this user may log in but not run commands',
  cure: 'give the user a login shell (chsh) or deploy as another',
}

const connectionLost: Message = {
  pattern: /Connection (?:closed|reset) by|Connection to \S+ closed|Broken pipe|Connection reset by peer/,
  code: 'SSH_LOST',
  what: 'the connection broke while it was made',
  cure: 'run the same command again',
}

/** Messages from before the script starts. The first one that matches counts. */
const messages = [
  betweenBastions,
  unknownHost,
  hostKeyChanged,
  hostKeyUnknown,
  keyFileOpen,
  keyFileUnreadable,
  keyFileBroken,
  denied,
  ...bastionMessages,
  refused,
  unreachable,
  timedOut,
  proxySaid,
  proxyEnded,
  turnedAway,
  noCommonAlgorithm,
  badConfiguration,
  sshMissing,
  sudoTerminal,
  sudoPassword,
  sudoDenied,
  sudoMissing,
  noShell,
  connectionLost,
]

/**
 * What `stderr` means when the script has not started; undefined when unknown. Of ssh's debugging lines only those count that name
 * the machines on the way.
 */
export function findBeforeStart(
  stderr: string,
  server: string,
  byHand = defaultLogin(server),
): Finding | undefined {
  const input = stderr.replaceAll(/^debug\d: (?!Authenticating to ).*$/gm, '')
  return firstFinding(messages, input, { server, byHand })
}

/** Whether ssh says, before the start of a script, that a server did not answer in time. */
export const saysTimedOut = (stderr: string): boolean => findBeforeStart(stderr, '')?.code === timedOut.code

/** The machine that refused the login. The message has the server's real address, not its name in "servers", so it is left out. */
function refusedBy(login: string | undefined, stderr: string): string {
  return login && isBastions(stderr) ? `the bastion ${login}` : 'it'
}

/** The connection ends before any greeting only when ssh fails at a bastion. */
const isBastions = (stderr: string) => /kex_exchange_identification|UNKNOWN port/.test(stderr)

/** A sentence about the host key: the bastion's, if that one has failed. */
const ofBastion = (stderr: string, what: string) =>
  isBastions(stderr) ? what.replace('its host key', 'the host key of its bastion') : what

function portOf(server: string): string {
  return parseServerName(server)?.port ?? '22'
}

/** The login by hand when nothing but the server's label is known. */
export function defaultLogin(server: string): string {
  const { user, host, port } = parseServerName(server) ?? { user: undefined, host: server, port: undefined }
  return `ssh ${port ? `-p ${port} ` : ''}${user ? `${user}@` : ''}${host}`
}

/** The login without StrictHostKeyChecking: then ssh asks about an unknown host key. */
const withoutStrict = (byHand: string) => byHand.replaceAll(/-o StrictHostKeyChecking=\S+ /gi, '')

/** Where the old key is, when that is another file than ssh-keygen looks into by itself (UserKnownHostsFile). */
function inKnownHosts(stderr: string): string {
  const file = /^Offending \S+ key in (.+):\d+\r?$/m.exec(stderr)?.[1]
  if (file === undefined || file.endsWith('/.ssh/known_hosts')) return ''
  return `-f ${quoteIfNeeded(file)} `
}

/** The server's name in known_hosts: as ssh says it, since ~/.ssh/config may change it, or else as "servers" has it. */
function knownHostsName(said: string | undefined, server: string): string {
  const port = portOf(server)
  const name = said ?? (port === '22' ? hostOf(server) : `[${hostOf(server)}]:${port}`)
  return name.startsWith('[') ? `'${name}'` : name
}

const hostOf = (server: string) => parseServerName(server)?.host ?? server
