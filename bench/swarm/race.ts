import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LabHost } from '../../test/support/lab/host.ts'
import type { Lab } from '../../test/support/lab/lab.ts'
import type { Counters } from '../../test/support/lab/network.ts'
import type { LabProcess } from '../../test/support/lab/process.ts'
import { cpuTimes } from './cpu.ts'

export type Role = 'tracker' | 'seeder' | 'peer'

export interface Usage {
  host: string
  role: Role
  /** User and system, of the program and of the children that it waited for. */
  cpuSeconds: number
  /** The largest of these processes. */
  peakMiB: number
}

export interface Content {
  /** The same path in every host. */
  file: string
  size: number
  sha256: string
}

export interface RaceResult {
  /** Seconds from the start of the peers until the content was complete, by server. */
  done: Record<string, number>
  /** Bytes over the links from the start of the peers until the last was done, by host. */
  links: Record<string, Counters>
  /** The same over the long link of each site but the first, by its number: `sent` went there. */
  longLinks: Record<string, Counters>
  usage: Usage[]
  /** Payload bytes that came over the network, by server, for contenders that say so. */
  received: Record<string, number>
  /** Share of all CPU time of the machine that was in use meanwhile: at 1 the figures say more about the CPU. */
  busy: number
  problems: string[]
}

/** A shell that says that it is there, and becomes the program when a line comes. */
const hold = ['sh', '-c', 'echo held; read -r go; exec "$@" < /dev/null', 'hold']

/** What one contender gets to bring the content to every server: hosts, a clock, and processes that are measured. */
export class Race {
  readonly lab: Lab
  readonly content: Content
  /** Piece length, bytes; undefined leaves it to the contender. */
  readonly pieceLength: number | undefined
  /** Bytes that a server received, as its program says. */
  readonly received: Record<string, number> = {}
  readonly #done = new Map<string, number>()
  readonly #processes: { role: Role; host: LabHost; process: LabProcess; time: string }[] = []
  readonly #timeout: number
  readonly #sites: number[]
  #start: bigint | undefined
  #linksBefore = new Map<string, Counters>()
  #longLinksBefore = new Map<string, Counters>()
  #cpuBefore = { busy: 0, total: 0 }

  /** `timeout`: seconds from the start of the peers. */
  constructor(
    lab: Lab,
    content: Content,
    { pieceLength, sites }: { pieceLength: number | undefined; sites: number[] | undefined },
    timeout: number,
  ) {
    this.lab = lab
    this.content = content
    this.pieceLength = pieceLength
    this.#sites = sites ?? []
    this.#timeout = timeout
  }

  get seeder(): LabHost {
    return this.lab.deployHost
  }

  get servers(): LabHost[] {
    return this.lab.servers
  }

  /** The name of the site that a host is in, where programs are told so: servers are numbered through all sites. */
  siteOf(host: LabHost): string | undefined {
    const sites = this.#sites.flatMap((count, i) => Array.from({ length: count }, () => `site${i + 1}`))
    return host === this.seeder && sites.length > 0 ? 'site1' : sites[this.servers.indexOf(host)]
  }

  /** Where the content shall end up on every server. */
  get target(): string {
    return join('/srv/data', basename(this.content.file))
  }

  /**
   * Starts a program whose CPU time and memory count. It is ended after the race. A peer that is requested before `go` starts
   * with `go`: so all start together, and the time to get a process into a host of the lab is not measured.
   */
  spawn(role: Role, host: LabHost, argv: string[], env?: Record<string, string>): LabProcess {
    const time = join(host.directory, `time-${this.#processes.length}`)
    const held = role === 'peer' && this.#start === undefined
    const process = host.spawn(held ? [...hold, ...argv] : argv, {
      time,
      stdin: held ? 'pipe' : 'ignore',
      ...(env ? { env } : {}),
    })
    this.#processes.push({ role, host, process, time })
    return process
  }

  /** Starts a peer on every server at once; `complete` resolves when one has the content. Resolves when all have. */
  async runPeers(
    start: (server: LabHost) => LabProcess,
    complete: (peer: LabProcess) => Promise<unknown>,
  ): Promise<void> {
    const peers = this.servers.map((server) => ({ server, peer: start(server) }))
    await this.go()
    await Promise.all(
      peers.map(async ({ server, peer }) => {
        await complete(peer)
        this.done(server)
      }),
    )
  }

  /** The peers start now. */
  async go(): Promise<void> {
    const held = this.#processes.filter(({ role }) => role === 'peer').map(({ process }) => process)
    await Promise.all(held.map((peer) => peer.line(/^held$/)))
    for (const server of this.servers) {
      await mkdir(dirname(server.outside(this.target)), { recursive: true })
    }
    this.#linksBefore = await this.lab.counters()
    this.#longLinksBefore = await this.lab.longLinkCounters()
    this.#cpuBefore = cpuTimes()
    this.#start = process.hrtime.bigint()
    for (const peer of held) peer.child.stdin?.end('go\n')
  }

  /** The server has the whole content now. */
  done(server: LabHost): void {
    if (this.#start === undefined) throw new Error('done before go')
    this.#done.set(server.name, Number(process.hrtime.bigint() - this.#start) / 1e9)
  }

  /** Runs one contender to the end of its last server, and measures. */
  async run(contender: (race: Race) => Promise<void>): Promise<RaceResult> {
    const problems: string[] = []
    try {
      await this.#withTimeout(contender(this))
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
    const cpu = cpuTimes()
    const links = await this.lab.counters()
    const longLinks = await this.lab.longLinkCounters()
    const usage = await this.#endProcesses()
    if (problems.length === 0) problems.push(...(await this.#verify()))
    return {
      done: Object.fromEntries(this.#done),
      links: allSince(links, this.#linksBefore),
      longLinks: allSince(longLinks, this.#longLinksBefore),
      usage,
      received: this.received,
      busy: (cpu.busy - this.#cpuBefore.busy) / (cpu.total - this.#cpuBefore.total),
      problems,
    }
  }

  async #withTimeout(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const lateError = () => {
        const missing = this.servers
          .filter((server) => !this.#done.has(server.name))
          .map((server) => server.name)
        reject(new Error(`not done after ${this.#timeout} s: ${missing.join(', ')}`))
      }
      timer = setTimeout(lateError, this.#timeout * 1000)
    })
    try {
      await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
      // After a timeout the contender also fails because its processes end: that error adds nothing.
      work.catch(() => undefined)
    }
  }

  async #endProcesses(): Promise<Usage[]> {
    await Promise.all(this.#processes.map(({ process }) => process.stop()))
    return Promise.all(
      this.#processes.map(async ({ role, host, time }) => {
        const lines = (await readFile(time, 'utf8')).trim().split('\n')
        const [, user = Number.NaN, system = Number.NaN, peak = Number.NaN] = (lines.at(-1) ?? '')
          .split(' ')
          .map(Number)
        return { host: host.name, role, cpuSeconds: user + system, peakMiB: peak / 1024 }
      }),
    )
  }

  async #verify(): Promise<string[]> {
    const problems: string[] = []
    for (const server of this.servers) {
      const sha256 = await fileSha256(server.outside(this.target)).catch((error: Error) => error.message)
      if (sha256 !== this.content.sha256)
        problems.push(`${server.name}: content is not the seeder's (${sha256})`)
    }
    return problems
  }
}

async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk)
  return hash.digest('hex')
}

const allSince = (now: Map<string, Counters>, before: Map<string, Counters>): Record<string, Counters> =>
  Object.fromEntries([...now].map(([name, counters]) => [name, since(counters, before.get(name))]))

const since = (now: Counters, before: Counters | undefined): Counters => ({
  sent: now.sent - (before?.sent ?? 0),
  received: now.received - (before?.received ?? 0),
})
