import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { alwaysVisible, LabHost, type SpawnInHost } from './host.ts'
import {
  addressOf,
  type Counters,
  hostBatch,
  parseCounters,
  portOf,
  rateCommand,
  switchBatch,
} from './network.ts'
import type { LabProcess } from './process.ts'
import { makeScratch, removeScratch } from './scratch.ts'
import { configureClient, type LabKeys, type LabSshd, makeKeys, type SshdOptions, startSshd } from './sshd.ts'

export interface LabOptions {
  /** How many servers: `server1`, `server2`, … */
  hosts: number
  /** Bits/s that every link carries each way; undefined is no limit. */
  rate?: number | undefined
  /** Other rates, by host name. */
  rates?: Record<string, number | undefined>
  /** A further host `deploy`. */
  deployHost?: boolean
  /** TCP congestion control in every host; undefined is the machine's default. */
  congestion?: string | undefined
  /** Where the hosts' files are; undefined is on the disk. */
  scratch?: string | undefined
  /** Directories that hosts shall see although they are under /tmp, /srv or the home directory. */
  visible?: string[]
}

export interface ExecOptions extends SpawnInHost {
  input?: string | Buffer
  /** Resolve with the result also when the exit code is not 0. */
  anyExit?: boolean
  /** Milliseconds, then SIGKILL. */
  timeout?: number
}

export interface ExecResult {
  stdout: string
  stderr: string
  code: number | null
  signal: NodeJS.Signals | null
}

/** Why no lab can be made on this machine; undefined when it can. */
export function labProblem(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux'
  if (process.getuid?.() !== 0) return 'not root'
  try {
    const namespaces = ['--net', '--mount', '--pid', '--uts', '--fork']
    const links =
      'ip link add name v0 type veth peer name v1 && tc qdisc add dev v0 root tbf rate 1mbit burst 10k limit 20k'
    execFileSync('unshare', [...namespaces, 'sh', '-c', links], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string }
    return `no network namespaces here (${String(stderr ?? '').trim() || message})`
  }
}

/** For `describe.skipIf(!labAvailable())`: says on standard error why it is not. */
export function labAvailable(): boolean {
  const problem = labProblem()
  if (problem)
    process.stderr.write(`\n*** SKIPPED: lab tests need root and network namespaces: ${problem} ***\n\n`)
  return problem === undefined
}

const live = new Set<Lab>()

/** For a program's own signal handlers. A lab whose process dies goes by itself, but for its directory. */
export async function destroyAllLabs(): Promise<void> {
  await Promise.all([...live].map((lab) => lab.destroy()))
}

/** Hosts in namespaces, joined by one bridge over links of limited rate. Always `destroy()` it. */
export class Lab {
  /** Seen by every host at this same path; removed with the lab. */
  readonly directory: string
  readonly servers: LabHost[]
  readonly keys: LabKeys
  readonly #switch: LabHost
  readonly #deployHost: LabHost | undefined
  #destroyed: Promise<void> | undefined

  private constructor(directory: string, hub: LabHost, hosts: LabHost[], keys: LabKeys) {
    this.directory = directory
    this.#switch = hub
    this.#deployHost = hosts.find((host) => host.name === 'deploy')
    this.servers = hosts.filter((host) => host.name !== 'deploy')
    this.keys = keys
  }

  static async create(options: LabOptions): Promise<Lab> {
    const directory = await makeScratch('lab', options.scratch)
    const started: LabHost[] = []
    try {
      return await build(
        options,
        directory,
        started,
        (hub, hosts, keys) => new Lab(directory, hub, hosts, keys),
      )
    } catch (error) {
      await Promise.all(started.map((host) => host.stop()))
      await removeScratch(directory)
      throw error
    }
  }

  get deployHost(): LabHost {
    if (!this.#deployHost) throw new Error('this lab was made without a deploy host')
    return this.#deployHost
  }

  get hosts(): LabHost[] {
    return this.#deployHost ? [this.#deployHost, ...this.servers] : [...this.servers]
  }

  host(which: string | LabHost): LabHost {
    if (typeof which !== 'string') return which
    const host = this.hosts.find((host) => host.name === which)
    if (!host) throw new Error(`this lab has no host ${which}`)
    return host
  }

  /** Runs a program to its end. Rejects when it fails, unless `anyExit`. */
  async exec(host: string | LabHost, argv: string[], options: ExecOptions = {}): Promise<ExecResult> {
    const program = this.spawn(host, argv, options)
    const timer = options.timeout ? setTimeout(() => program.kill('SIGKILL'), options.timeout) : undefined
    program.child.stdin?.end(options.input ?? '')
    const { code, signal } = await program.ended
    clearTimeout(timer)
    if (code !== 0 && !options.anyExit) {
      const where = this.host(host).name
      throw new Error(`${where}: ${argv.join(' ')} ended with ${signal ?? code}\n${program.tail()}`)
    }
    return { stdout: program.stdout, stderr: program.stderr, code, signal }
  }

  spawn(host: string | LabHost, argv: string[], options: SpawnInHost = {}): LabProcess {
    return this.host(host).spawn(argv, options)
  }

  /** A real sshd in the host; `keys` and every host's ~/.ssh/config let root log in. */
  sshd(host: string | LabHost, options: SshdOptions = {}): Promise<LabSshd> {
    return startSshd(this.host(host), this.keys, options)
  }

  /** Bytes over every host's link since the lab began, as IP packets with Ethernet headers, by host name. */
  async counters(): Promise<Map<string, Counters>> {
    return parseCounters(await inNetwork(this.#switch, ['ip', '-s', '-j', 'link']))
  }

  /** Nothing crosses the host's link any more, and nobody is told. */
  cut(host: string | LabHost): Promise<void> {
    return this.#portState(host, 0)
  }

  restore(host: string | LabHost): Promise<void> {
    return this.#portState(host, 3)
  }

  /** Changes a link's limit, both ways. */
  async setRate(host: string | LabHost, rate: number | undefined): Promise<void> {
    await limit(this.#switch, this.host(host), rate)
  }

  /** Ends everything that runs in the lab and removes it. Harmless when done twice. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy()
    return this.#destroyed
  }

  async #portState(host: string | LabHost, state: number): Promise<void> {
    const port = portOf(this.host(host).name)
    await inNetwork(this.#switch, ['bridge', 'link', 'set', 'dev', port, 'state', String(state)])
  }

  async #destroy(): Promise<void> {
    await Promise.all([...this.hosts, this.#switch].map((host) => host.stop()))
    await removeScratch(this.directory)
    live.delete(this)
  }

  static track(lab: Lab): Lab {
    live.add(lab)
    return lab
  }
}

async function build(
  options: LabOptions,
  directory: string,
  started: LabHost[],
  make: (hub: LabHost, hosts: LabHost[], keys: LabKeys) => Lab,
): Promise<Lab> {
  const plan = Array.from({ length: options.hosts }, (_, i) => ({
    name: `server${i + 1}`,
    address: addressOf(i + 1),
  }))
  if (options.deployHost) plan.unshift({ name: 'deploy', address: addressOf(0) })
  const table = ['127.0.0.1 localhost', ...plan.map(({ name, address }) => `${address} ${name}`)]
  const visible = [...alwaysVisible(), ...(options.visible ?? [])]
  const start = async ({ name, address }: { name: string; address: string }) => {
    const own = join(directory, 'hosts', name)
    await mkdir(own, { recursive: true })
    const host = await LabHost.start({
      name,
      address,
      directory: own,
      hosts: `${table.join('\n')}\n`,
      visible,
    })
    started.push(host)
    return host
  }

  const keys = await makeKeys(directory)
  const hub = await start({ name: 'switch', address: '' })
  const hosts = await settled(plan.map(start))
  await inNetwork(
    hub,
    ['ip', '-batch', '-'],
    switchBatch(hosts.map((h) => ({ name: h.name, pid: h.networkPid }))),
  )
  for (const host of hosts) {
    await inNetwork(host, ['ip', '-batch', '-'], hostBatch(host.address))
    if (options.congestion) await setCongestion(host, options.congestion)
    const rate = options.rates && host.name in options.rates ? options.rates[host.name] : options.rate
    if (rate !== undefined) await limit(hub, host, rate)
    await configureClient(host, keys)
  }
  return Lab.track(make(hub, hosts, keys))
}

/** The machine decides which algorithms namespaces may use. */
async function setCongestion(host: LabHost, algorithm: string): Promise<void> {
  await inNetwork(host, ['sysctl', '-qw', `net.ipv4.tcp_congestion_control=${algorithm}`]).catch(() => {
    const setting = 'net.ipv4.tcp_allowed_congestion_control'
    throw new Error(`this machine does not let namespaces use ${algorithm}: add it to ${setting}`)
  })
}

/** Like Promise.all, but waits for every one, so that nothing starts behind the back of a clean-up. */
async function settled<T>(promises: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

async function limit(hub: LabHost, host: LabHost, rate: number | undefined): Promise<void> {
  await inNetwork(hub, ['tc', '-batch', '-'], `${rateCommand(portOf(host.name), rate)}\n`)
  await inNetwork(host, ['tc', '-batch', '-'], `${rateCommand('eth0', rate)}\n`)
}

/** Runs a tool in the host's network, but with the machine's own files and process numbers. */
async function inNetwork(host: LabHost, argv: string[], input = ''): Promise<string> {
  const child = spawn('nsenter', ['-t', String(host.networkPid), '-n', ...argv])
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${host.name}: ${argv.join(' ')} failed: ${stderr.trim()}`)
  return stdout
}
