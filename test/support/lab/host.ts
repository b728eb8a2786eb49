import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { LabProcess } from './process.ts'

export interface SpawnInHost {
  cwd?: string
  /** Added to a small, fixed environment: nothing of the caller's leaks in. */
  env?: Record<string, string | undefined>
  /** `ignore`: /dev/null, for programs that take a socket on standard input as a sign, as rsync does. */
  stdin?: 'pipe' | 'ignore'
  /** File that `/usr/bin/time` writes `elapsed user system peak-KiB` to when the program has ended. */
  time?: string
}

/** Replaced by a private, empty directory in every host. */
const privatePaths = ['/srv', '/tmp', userInfo().homedir]

/**
 * First process of a host: mounts the pairs it is given, says so, and waits. It ends when its input does, so the
 * host ends with the process that made it, however that dies; and the kernel then ends all that runs in the host.
 * bash, because the first process must collect orphans that have ended, and bash does.
 */
const init = `set -e
hostname "$1"; shift
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/lock
while [ $# -gt 0 ]; do mount --rbind "$1" "$2"; shift 2; done
echo ready
while read -r _; do :; done`

/**
 * A machine of a lab: its own network, processes, host name, and file systems at /srv, /tmp, /run and root's home.
 * Everything else is the real machine's. The namespaces have no name: they go with their last process.
 */
export class LabHost {
  readonly name: string
  readonly address: string
  /** Where this host's private directories are, seen from outside. */
  readonly directory: string
  readonly #holder: ChildProcess

  private constructor(name: string, address: string, directory: string, holder: ChildProcess) {
    this.name = name
    this.address = address
    this.directory = directory
    this.#holder = holder
  }

  /** `visible`: directories that stay visible although a private one covers them. */
  static async start(options: {
    name: string
    address: string
    directory: string
    hosts: string
    visible: string[]
  }): Promise<LabHost> {
    const { name, address, directory } = options
    const mounts: [string, string][] = []
    for (const path of privatePaths) {
      const own = join(directory, path)
      await mkdir(own, { recursive: true, mode: path === '/tmp' ? 0o1777 : 0o755 })
      for (const shown of options.visible.filter((shown) => shown.startsWith(`${path}/`))) {
        const place = join(own, relative(path, shown))
        await mkdir(place, { recursive: true })
        mounts.push([shown, place])
      }
    }
    for (const path of privatePaths) mounts.push([join(directory, path), path])
    const hostsFile = join(directory, 'hosts')
    await writeFile(hostsFile, options.hosts)
    mounts.push([hostsFile, '/etc/hosts'])

    const namespaces = ['--net', '--mount', '--pid', '--uts', '--fork', '--kill-child', '--mount-proc']
    const holder = spawn('unshare', [...namespaces, 'bash', '-c', init, 'init', name, ...mounts.flat()], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    holder.stdin.on('error', () => undefined)
    await ready(holder, name)
    return new LabHost(name, address, directory, holder)
  }

  /** A process whose network namespace is this host's. */
  get networkPid(): number {
    return this.#holder.pid as number
  }

  /** The command that runs `argv` inside this host. */
  enter(argv: string[], cwd = '/'): string[] {
    const pid = this.networkPid
    const namespaces = ['-t', String(pid), '-n', '-m', '-u', `--pid=/proc/${pid}/ns/pid_for_children`]
    return ['nsenter', ...namespaces, 'env', '-C', cwd, ...argv]
  }

  spawn(argv: string[], options: SpawnInHost = {}): LabProcess {
    const timed = options.time ? ['/usr/bin/time', '-f', '%e %U %S %M', '-o', options.time, ...argv] : argv
    const env = {
      PATH: process.env.PATH,
      HOME: userInfo().homedir,
      USER: 'root',
      LOGNAME: 'root',
      LANG: 'C.UTF-8',
      ...options.env,
    }
    const name = `${this.name}: ${argv.slice(0, 3).join(' ')}`
    const stdio: StdioOptions = [options.stdin ?? 'pipe', 'pipe', 'pipe']
    return new LabProcess(this.enter(timed, options.cwd), { env, stdio }, name, options.time ? 2 : 1)
  }

  /** Where a private path of this host, such as `/srv/app`, is when seen from outside. */
  outside(path: string): string {
    return join(this.directory, path)
  }

  /** Ends every process of this host. Resolves when they are gone. */
  async stop(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return
    const gone = once(this.#holder, 'exit')
    this.#holder.stdin?.end()
    this.#holder.kill('SIGKILL')
    await gone
  }
}

async function ready(holder: ChildProcess, name: string): Promise<void> {
  let stderr = ''
  holder.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  const outcome = await Promise.race([
    once(holder.stdout as NodeJS.ReadableStream, 'data').then(() => undefined),
    once(holder, 'exit').then(() => new Error(`lab: host ${name} did not start: ${stderr.trim()}`)),
  ])
  if (outcome) throw outcome
}

/** What hosts have to see of the real machine wherever it is: the working directory and Node. */
export function alwaysVisible(): string[] {
  return [process.cwd(), dirname(dirname(process.execPath))]
}
