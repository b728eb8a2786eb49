import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { nodePath } from './node-path.ts'
import { below, killNow } from './processes.ts'

const binary = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find(existsSync)

/** Why real sshd cannot be used here; undefined where it can. */
export const sshdMissing = binary ? undefined : 'openssh-server is not installed'

/** `describe`, or where `unavailable` names a reason a skipped group that says so on stderr. */
export function describeIf(unavailable: string | undefined, name: string, body: () => void): void {
  if (unavailable === undefined) {
    describe(name, body)
    return
  }
  console.error(`SKIPPED: ${name}: ${unavailable}`)
  describe.skip(`${name} (${unavailable})`, body)
}

export interface SshdOptions {
  /** Loopback addresses to listen on; 127.0.0.1 unless told otherwise. The first is `host`. */
  addresses?: [string, ...string[]]
  port?: number
  /** Lines of sshd_config, such as `MaxSessions 2`. Of two values for one keyword the first counts: these. */
  config?: string[]
  /** Files that its sessions see empty; needs root. */
  hidden?: string[]
  /** What its sessions see in files instead of their content; needs root. */
  instead?: Record<string, string>
}

export interface Sshd {
  host: string
  port: number
  user: string
  directory: string
  /** Path of the private key that may log in. */
  key: string
  /** For ssh-pool: knows the host key, ignores the user's own ssh configuration. */
  extraSshOptions: Record<string, string>
  /** What sshd has logged so far. */
  log(): string
  /** Logins so far: a shared connection counts once. */
  logins(): number
  /** Waits until sshd logs `text`. */
  logged(text: string): Promise<void>
  /** Breaks all connections at once, as a reboot does. */
  disconnect(): void
  /** Gives it another host key, as a reinstalled machine has. Known hosts stay as they were. */
  changeHostKey(): Promise<void>
  stop(): Promise<void>
}

/** A real OpenSSH server on loopback with its own keys and configuration, run by the current user. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  if (!binary) throw new Error(sshdMissing)
  const directory = mkdtempSync(join(tmpdir(), 'sshd-'))
  const addresses = options.addresses ?? ['127.0.0.1']
  const host = addresses[0]
  const port = options.port ?? (await freePort(host))
  const file = (name: string) => join(directory, name)
  makeKey(file('user'))
  makeKey(file('host'))
  writeFileSync(file('authorized_keys'), publicKey(file('user')))
  writeFileSync(file('known_hosts'), `[127.0.0.*]:${port} ${publicKey(file('host'))}`)
  writeFileSync(
    file('config'),
    [...(options.config ?? []), ...nodePath(), ...baseConfig(directory, addresses, port)].join('\n'),
  )

  const lines = new EventEmitter()
  let log = ''
  const onLog = (text: string) => {
    log += text
    lines.emit('more')
  }
  const { hidden = [], instead = {} } = options
  const others = [...hidden.map((path): [string, string] => [path, '']), ...Object.entries(instead)]
  const words = others.flatMap(([path, content], index) => {
    writeFileSync(file(`instead-${index}`), content, { mode: 0o440 })
    return [file(`instead-${index}`), path]
  })
  let child = await launch(binary, directory, onLog, words)
  // Who is not root has a second sshd a connection that outlives the first. What a connection runs goes on.
  const disconnect = () => {
    for (const { pid, args } of below(child.pid as number)) if (args.startsWith('sshd')) killNow(pid)
  }
  const stop = async () => {
    disconnect()
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return {
    host,
    port,
    user: userInfo().username,
    directory,
    key: file('user'),
    extraSshOptions: {
      UserKnownHostsFile: file('known_hosts'),
      IdentitiesOnly: 'yes',
      IdentityAgent: 'none',
    },
    log: () => log,
    logins: () => log.split('Accepted publickey').length - 1,
    async logged(text) {
      while (!log.includes(text)) await once(lines, 'more')
    },
    disconnect,
    async changeHostKey() {
      await stop()
      rmSync(file('host'))
      makeKey(file('host'))
      child = await launch(binary, directory, onLog, words)
    },
    async stop() {
      await stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function baseConfig(directory: string, addresses: string[], port: number): string[] {
  return [
    ...addresses.map((address) => `ListenAddress ${address}:${port}`),
    `HostKey ${join(directory, 'host')}`,
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PrintMotd no',
    // The user's own start-up files may do anything, and take any time.
    `SetEnv HOME=${directory}`,
    'LogLevel VERBOSE',
    '',
  ]
}

async function launch(
  sshd: string,
  directory: string,
  onLog: (text: string) => void,
  instead: readonly string[],
): Promise<ChildProcess> {
  // As root sshd insists on its privilege separation directory, which a machine without a running sshd may lack.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const words = [sshd, '-D', '-e', '-f', join(directory, 'config')]
  const [program = '', ...rest] = instead.length === 0 ? words : [...seeing(instead), ...words]
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`sshd did not start: ${said}`)))
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk
      onLog(String(chunk))
      if (said.includes('Server listening')) resolve()
    })
  })
  return child
}

/** Words before a command in whose mount namespace each first file is in the place of the second. */
function seeing(instead: readonly string[]): string[] {
  const script = `while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 1; shift 2; done; shift; exec "$@"`
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...instead, '--']
}

function makeKey(path: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
  rmSync(`${path}.pub`)
}

function publicKey(path: string): string {
  return execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' })
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
