import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, chmod, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { nodePath } from '../node-path.ts'
import type { LabHost } from './host.ts'
import type { LabProcess } from './process.ts'

const run = promisify(execFile)

export interface LabKeys {
  /** Private key that every sshd of the lab accepts for root. */
  identity: string
  /** Has the host key of every sshd that was started. */
  knownHosts: string
  authorizedKeys: string
}

export interface LabSshd {
  address: string
  port: number
  process: LabProcess
  hostKey: string
}

export interface SshdOptions {
  port?: number
  /** Further lines of sshd_config. They come first, and sshd takes the first value it sees. */
  config?: string[]
}

/** Makes the lab's key pair and an empty known_hosts file in `directory`. */
export async function makeKeys(directory: string): Promise<LabKeys> {
  const identity = join(directory, 'id_ed25519')
  await makeKey(identity)
  const keys = {
    identity,
    knownHosts: join(directory, 'known_hosts'),
    authorizedKeys: join(directory, 'authorized_keys'),
  }
  await copyFile(`${identity}.pub`, keys.authorizedKeys)
  await writeFile(keys.knownHosts, '')
  return keys
}

/** Lets plain `ssh <address>` in this host log in everywhere in the lab. */
export async function configureClient(host: LabHost, keys: LabKeys): Promise<void> {
  const directory = host.outside(join(userInfo().homedir, '.ssh'))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const config = ['User root', `IdentityFile ${keys.identity}`, `UserKnownHostsFile ${keys.knownHosts}`]
  await writeFile(join(directory, 'config'), `${[...config, 'StrictHostKeyChecking yes'].join('\n')}\n`)
}

/** Starts a real sshd with its own host key, key authentication only, and waits until it listens. */
export async function startSshd(host: LabHost, keys: LabKeys, options: SshdOptions = {}): Promise<LabSshd> {
  const port = options.port ?? 22
  const hostKey = join(host.directory, `ssh_host_key-${port}`)
  if (!existsSync(hostKey)) await makeKey(hostKey) // It is started again.
  const { stdout: publicKey } = await run('ssh-keygen', ['-y', '-f', hostKey])
  const names =
    port === 22 ? `${host.address},${host.name}` : `[${host.address}]:${port},[${host.name}]:${port}`
  await appendFile(keys.knownHosts, `${names} ${publicKey.trim()}\n`)

  const config = join(host.directory, `sshd_config-${port}`)
  const settings = [
    ...(options.config ?? []),
    ...nodePath(),
    `Port ${port}`,
    `ListenAddress ${host.address}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${keys.authorizedKeys} .ssh/authorized_keys`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    // The key's directories need not be root's alone, and there is no name service in here.
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PidFile none',
    'PrintMotd no',
    'PrintLastLog no',
    'Subsystem sftp internal-sftp',
  ]
  await writeFile(config, `${settings.join('\n')}\n`)
  const process = host.spawn(['/usr/sbin/sshd', '-D', '-e', '-f', config])
  await process.line(/Server listening on/)
  return { address: host.address, port, process, hostKey }
}

async function makeKey(file: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file])
  await chmod(file, 0o600)
}
