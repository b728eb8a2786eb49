import { inBatch, type Message } from './message.ts'

/*
 * ProxyJump is a second ssh, and ProxyCommand any program: what they print comes first, and then ssh sees their end in place
 * of a greeting.
 */
const ENDED = String.raw`[\s\S]*(?:kex_exchange_identification|banner exchange|UNKNOWN port|proxy dialer)`

/** Each ssh but the first one on the way sees the end of the one before it, so two ends mean that no server was reached. */
export const betweenBastions: Message = {
  pattern: /open failed: (?:connect failed: )?([^:\r\n]+)(?:[\s\S]*UNKNOWN port){2}/,
  code: 'SSH_BASTION',
  what: ({ 1: why, input, index }) =>
    `${bastionIn(input, index) ?? 'a bastion'} on the way to it cannot connect to the next one: ${why}`,
  cure: 'check names and ports in ProxyJump, and that each bastion reaches the next one and may forward to it (AllowTcpForwarding, PermitOpen)',
  hidesCause: true,
}

const refused: Message = {
  pattern: new RegExp(String.raw`connect to host (\S+) port (\d+): Connection refused${ENDED}`),
  code: 'SSH_BASTION',
  what: ([, host, port]) => `its bastion ${host} refuses connections to port ${port}, also on every retry`,
  cure: 'check that sshd runs on the bastion; if it limits connections, let all servers share one: "ControlMaster auto" and "ControlPersist" for it in ~/.ssh/config',
  passes: true,
}

const unreachable: Message = {
  pattern: new RegExp(String.raw`connect to host (\S+) port (\d+): (.*?)\r?\n${ENDED}`),
  code: 'SSH_BASTION',
  what: ([, host, port, why]) => `its bastion ${host} cannot be reached on port ${port}: ${why}`,
  cure: 'check that the bastion is up and that no firewall drops the connection',
}

const forbidden: Message = {
  pattern: /open failed: administratively prohibited/,
  code: 'SSH_BASTION',
  what: ({ input, index }) =>
    `${bastionIn(input, index) ?? 'its bastion'} forbids to forward connections to it`,
  cure: 'allow it in sshd_config of the bastion (AllowTcpForwarding, PermitOpen)',
  hidesCause: true,
}

/** Where the LogLevel of the bastion's ssh hides the reason, or a connection to the bastion that is shared (ControlMaster). */
const notForwarded: Message = {
  pattern: /^(?![\s\S]*open failed: )[\s\S]*stdio forwarding (?:request )?failed/i,
  code: 'SSH_BASTION',
  what: 'its bastion cannot connect to it',
  cure: 'check that it is up, that the bastion reaches its SSH port, and that AllowTcpForwarding there allows it',
  hidesCause: true,
}

const closed: Message = {
  pattern: new RegExp(
    String.raw`kex_exchange_identification.*\s+Connection (?:closed|reset) by (?!UNKNOWN)(\S+) port \d+\s${ENDED}`,
  ),
  code: 'SSH_TURNED_AWAY',
  what: ([, host]) => `its bastion ${host} closed the connection before the login, also on every retry`,
  cure: 'raise MaxStartups on the bastion, lower "concurrency", or see if a firewall there has banned this machine',
  passes: true,
}

const programMissing: Message = {
  pattern: new RegExp(
    String.raw`^(?!.*exec: ssh: )(.*: (?:(?:command )?not found|No such file or directory|Permission denied))\r?\n${ENDED}`,
    'm',
  ),
  code: 'SSH_PROXY',
  what: ([, said]) => `the ProxyCommand to it cannot be run: ${said}`,
  cure: 'install that program where it is to run, here or on the bastion, or correct ProxyCommand in ~/.ssh/config',
}

/** Messages when the way through a bastion has failed. */
export const bastionMessages = [refused, unreachable, forbidden, notForwarded, closed, programMissing]

/** The last words of another program on the way. */
export const proxySaid: Message = {
  pattern:
    /(?:^|\n)(?!Warning: |debug\d: |\*\* |kex_exchange_identification)([^\r\n]+)\r?\n(?:kex_exchange_identification|banner exchange)[^\n]*(?:\n[^\n]*UNKNOWN port.*|UNKNOWN port.*)/,
  code: 'SSH_PROXY',
  what: ([, said]) => `the ProxyCommand to it failed, also on every retry: ${said}`,
  cure: 'see what that program needs; it is set as ProxyCommand in ~/.ssh/config',
  passes: true,
}

/** Nothing was printed on the way: either a program there has just ended, or the server's sshd has closed the connection. */
export const proxyEnded: Message = {
  pattern: /UNKNOWN port/,
  code: 'SSH_TURNED_AWAY',
  what: 'the way to it (ProxyJump, ProxyCommand) ended before its sshd said anything, also on every retry',
  cure: (_, login) =>
    `this must work: ${inBatch(login.byHand)}; if it does, raise MaxStartups there and on the bastion, or lower "concurrency"`,
  passes: true,
  hidesCause: true,
}

/** The bastion to which a verbose ssh has logged in last before `index`. */
function bastionIn(verbose: string, index: number): string | undefined {
  const [, host, port] =
    [...verbose.slice(0, index).matchAll(/^debug1: Authenticating to (\S+):(\d+) as /gm)].at(-1) ?? []
  return host && `the bastion ${port === '22' ? host : `${host}:${port}`}`
}
