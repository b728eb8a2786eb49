import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { alwaysVisible, LabHost, type SpawnInHost } from './host.ts'
import { buildLongLink, type LongLink, longLinkDevice, startLongLink } from './long-link.ts'
import {
  addressOf,
  type Counters,
  congestionBatch,
  hostBatch,
  NETWORK_SIZE,
  parseCounters,
  portOf,
  rateCommand,
  switchBatch,
  uplinkBatch,
} from './network.ts'
import type { LabProcess } from './process.ts'
import { makeScratch, removeScratch } from './scratch.ts'
import { configureClient, type LabKeys, type LabSshd, makeKeys, type SshdOptions, startSshd } from './sshd.ts'

export interface LabOptions {
  /** How many servers: `server1`, `server2`, … */
  hosts: number
  /** How many of the servers are in each site; the deploy host is in the first. Undefined: all are in one. */
  sites?: number[] | undefined
  /** Joins each site to the first one; needed with several sites. */
  longLink?: LongLink | undefined
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

/** Whether firewalls can be made in a host of the lab. */
export const hasNft = (): boolean => spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset']).status === 0

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
  /** Of each site, with the names of its hosts. */
  readonly #switches: Switch[]
  readonly #longLinks: ChildProcess[]
  readonly #deployHost: LabHost | undefined
  #destroyed: Promise<void> | undefined

  private constructor({ directory, switches, longLinks, hosts, keys }: LabParts) {
    this.directory = directory
    this.#switches = switches
    this.#longLinks = longLinks
    this.#deployHost = hosts.find((host) => host.name === 'deploy')
    this.servers = hosts.filter((host) => host.name !== 'deploy')
    this.keys = keys
  }

  static async create(options: LabOptions): Promise<Lab> {
    const directory = await makeScratch('lab', options.scratch)
    const started: LabHost[] = []
    try {
      return Lab.track(new Lab(await build(options, directory, started)))
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
    const all = await Promise.all(
      this.#switches.map(async ({ hub }) =>
        parseCounters(await inNetwork(hub, ['ip', '-s', '-j', 'link']), 'p-'),
      ),
    )
    return new Map(all.flatMap((counters) => [...counters]))
  }

  /**
   * Bytes that crossed the long link of every site but the first, by the site's number, as the first sees them: `received` came
   * from that site. Each end counts what came out of the link: what the link's queue or its loss dropped has not crossed.
   */
  async longLinkCounters(): Promise<Map<string, Counters>> {
    const [first, ...others] = await Promise.all(
      this.#switches.map(async ({ hub }) =>
        parseCounters(await inNetwork(hub, ['ip', '-s', '-j', 'link']), longLinkDevice('')),
      ),
    )
    const far = new Map(others.flatMap((counters) => [...counters]))
    return new Map(
      [...(first ?? [])].map(([site, near]) => [
        site,
        { sent: far.get(site)?.sent ?? 0, received: near.sent },
      ]),
    )
  }

  /** Nothing crosses the host's link any more, and nobody is told. */
  cut(host: string | LabHost): Promise<void> {
    return this.#portState(host, 0)
  }

  restore(host: string | LabHost): Promise<void> {
    return this.#portState(host, 3)
  }

  /** Nothing crosses the long link of a site any more; `site` counts from 1, and the first has none. */
  cutLongLink(site: number): Promise<void> {
    return this.#longLinkState(site, 0)
  }

  restoreLongLink(site: number): Promise<void> {
    return this.#longLinkState(site, 3)
  }

  /** Changes a link's limit, both ways. */
  async setRate(host: string | LabHost, rate: number | undefined): Promise<void> {
    await limit(this.#switchOf(this.host(host)), this.host(host), rate)
  }

  /** Ends everything that runs in the lab and removes it. Harmless when done twice. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy()
    return this.#destroyed
  }

  async #portState(host: string | LabHost, state: number): Promise<void> {
    await setPort(this.#switchOf(this.host(host)), portOf(this.host(host).name), state)
  }

  async #longLinkState(site: number, state: number): Promise<void> {
    const [first] = this.#switches as [Switch]
    await setPort(first.hub, longLinkDevice(site), state)
  }

  #switchOf({ name }: LabHost): LabHost {
    const found = this.#switches.find(({ hosts }) => hosts.includes(name))
    if (!found) throw new Error(`${name} is at no switch`)
    return found.hub
  }

  async #destroy(): Promise<void> {
    for (const link of this.#longLinks) link.kill('SIGKILL')
    await Promise.all([...this.hosts, ...this.#switches.map(({ hub }) => hub)].map((host) => host.stop()))
    await removeScratch(this.directory)
    live.delete(this)
  }

  static track(lab: Lab): Lab {
    live.add(lab)
    return lab
  }
}

interface Switch {
  hub: LabHost
  hosts: string[]
}

interface LabParts {
  directory: string
  switches: Switch[]
  longLinks: ChildProcess[]
  hosts: LabHost[]
  keys: LabKeys
}

/** Adds to `started` each host as soon as it runs, so that it can be ended when another one fails. */
async function build(options: LabOptions, directory: string, started: LabHost[]): Promise<LabParts> {
  const { rates = {}, longLink } = options
  const sites = sitesOf(options)
  const plan = sites.flat()
  const table = ['127.0.0.1 localhost', ...plan.map(({ name, address }) => `${address} ${name}`)]
  const visible = [...alwaysVisible(), ...(options.visible ?? [])]
  const start = async ({ name, address }: HostPlan) => {
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
  const program = sites.length > 1 ? await buildLongLink(directory) : undefined
  const switches: Switch[] = []
  const longLinks: ChildProcess[] = []
  for (const [i, site] of sites.entries()) {
    const hub = await start({ name: i === 0 ? 'switch' : `switch${i + 1}`, address: '' })
    switches.push({ hub, hosts: site.map(({ name }) => name) })
  }
  const hosts = await settled(plan.map(start))
  for (const { hub, hosts: names } of switches) {
    const ours = hosts.filter(({ name }) => names.includes(name))
    const batch = switchBatch(ours.map(({ name, networkPid }) => ({ name, pid: networkPid })))
    await inNetwork(hub, ['ip', '-batch', '-'], batch)
    for (const host of ours) {
      await inNetwork(host, ['ip', '-batch', '-'], hostBatch(host.address, sites.length > 1))
      if (options.congestion) await setCongestion(host, options.congestion)
      const rate = host.name in rates ? rates[host.name] : options.rate
      if (rate !== undefined) await limit(hub, host, rate)
      await configureClient(host, keys)
    }
  }
  const [first, ...others] = switches as [Switch, ...Switch[]]
  for (const [i, { hub }] of others.entries()) {
    if (!program || !longLink) throw new Error('several sites need a long link')
    const device = longLinkDevice(i + 2)
    const ends = { from: first.hub.networkPid, to: hub.networkPid }
    longLinks.push(await startLongLink(program, { ...ends, device, link: longLink }))
    for (const end of [first.hub, hub]) await inNetwork(end, ['ip', '-batch', '-'], uplinkBatch(device))
  }
  return { directory, switches, longLinks, hosts, keys }
}

interface HostPlan {
  name: string
  address: string
}

/** The hosts of each site. */
function sitesOf({ hosts, sites = [hosts], deployHost }: LabOptions): HostPlan[][] {
  let number = 0
  const plan = sites.map((count, site) =>
    Array.from({ length: count }, (_, i) => ({
      name: `server${++number}`,
      address: addressOf(site * NETWORK_SIZE + i + 1),
    })),
  )
  if (deployHost) plan[0]?.unshift({ name: 'deploy', address: addressOf(0) })
  return plan
}

/** By the route: namespaces may not set the sysctl for every algorithm that the machine has. */
async function setCongestion(host: LabHost, algorithm: string): Promise<void> {
  await inNetwork(host, ['ip', '-batch', '-'], congestionBatch(host.address, algorithm)).catch(() => {
    throw new Error(`this machine does not have the congestion control ${algorithm}`)
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

/** `state` is that of a bridge's port: 0 is disabled, 3 is forwarding. */
async function setPort(hub: LabHost, device: string, state: number): Promise<void> {
  await inNetwork(hub, ['bridge', 'link', 'set', 'dev', device, 'state', String(state)])
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
