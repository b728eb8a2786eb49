import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { MurderSettings } from '../../../src/config/schema.ts'
import { hasNft, labAvailable } from '../lab/lab.ts'
import type { LabProcess } from '../lab/process.ts'
import { BALANCER_PORT, type Balancer, SERVICE_PORT } from './balancer.ts'
import { DeployLab, deployTo } from './lab-deploy.ts'

const PID = `${deployTo}/shared/pid`

/** A service that says which content it serves, and answers what it has taken before it ends. */
const SERVICE = `import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const text = readFileSync('version', 'utf8')
const server = createServer((_, response) => setTimeout(() => response.end(text), 5))
server.keepAliveTimeout = 60_000
server.listen(${SERVICE_PORT})
process.on('SIGTERM', () => { server.close(() => process.exit()); server.closeIdleConnections() })
`

const ASK = `exec 3<>/dev/tcp/127.0.0.1/${SERVICE_PORT} && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3`

/** Restarts the service, and ends once it answers. */
export const ACTIVATE = [
  `p=$(cat ${PID} 2>/dev/null)`,
  '[ -z "$p" ] || { kill "$p"; while kill -0 "$p" 2>/dev/null; do sleep 0.1; done; }',
  `setsid ${process.execPath} service.mjs </dev/null >/dev/null 2>&1 & echo $! >${PID}`,
  `until bash -c '${ASK}' >/dev/null 2>&1; do sleep 0.1; done`,
].join('\n')

/** Whether this machine can run it. Says on standard error what is missing. */
export function canBalance({ program }: Balancer): boolean {
  const missing = [program, 'wrk', 'nft'].filter((name) => spawnSync('which', [name]).status !== 0)
  if (missing.length > 0)
    process.stderr.write(`\n*** SKIPPED: rollouts behind ${program}: no ${missing.join(', ')} ***\n\n`)
  return missing.length === 0 && labAvailable() && hasNft()
}

/** Servers with a small HTTP service behind a balancer on the deploy host. Each planted release serves a version of its own. */
export class BalancedFleet {
  readonly lab: DeployLab
  readonly balancer: Balancer
  readonly #running: LabProcess
  #version = 0

  /** The first version is deployed and served. */
  static async of(balancer: Balancer, servers: number): Promise<BalancedFleet> {
    const lab = await DeployLab.of(servers)
    const fleet = new BalancedFleet(lab, balancer, await balancer.start(lab.lab, lab.servers))
    writeFileSync(join(lab.lab.directory, 'delay.lua'), 'function delay() return 20 end\n')
    fleet.configure()
    fleet.plant()
    const first = await lab.run({ MURDER_ROLLOUT_BEFORE: 'true' })
    if (first.code !== 0) throw new Error(first.text)
    return fleet
  }

  private constructor(lab: DeployLab, balancer: Balancer, running: LabProcess) {
    this.lab = lab
    this.balancer = balancer
    this.#running = running
  }

  /** Writes the settings into the shipitfile: the first group is one server, the second two more. */
  configure(more: MurderSettings = {}): void {
    const file = join(this.lab.project.directory, 'shipitfile.js')
    const { rollout = {}, ...rest } = more
    const murder = {
      node: process.execPath,
      activate: ACTIVATE,
      healthCheck: `bash -c '${ASK}' | grep -q "^version "`,
      ...rest,
      rollout: {
        ...(rest.batch === undefined ? { groups: [1, 3, '100%'] } : {}),
        watch: 1,
        ...this.balancer.hooks(this.lab.lab),
        ...rollout,
      },
    }
    const text = readFileSync(file, 'utf8').replace(/\n {2}Object\.assign\(shipit\.config\.murder.*\n/, '\n')
    const line = `  Object.assign(shipit.config.murder ??= {}, ${JSON.stringify(murder)})`
    writeFileSync(file, text.replace(/\n}\s*$/, `\n${line}\n}\n`))
  }

  /** A new version in the workspace. */
  plant(): void {
    const { workspace } = this.lab.project
    this.lab.plant()
    mkdirSync(workspace, { recursive: true })
    writeFileSync(join(workspace, 'service.mjs'), SERVICE)
    writeFileSync(join(workspace, 'version'), `version ${++this.#version} \n`)
  }

  /** The planted version as it is served. */
  get planted(): string {
    return `version ${this.#version}`
  }

  get earlier(): string {
    return `version ${this.#version - 1}`
  }

  all(word: string): string[] {
    return this.lab.servers.map(() => word)
  }

  /** What the services of all servers say. */
  async served(): Promise<string[]> {
    const ask = ['bash', '-c', ASK]
    const answers = await Promise.all(
      this.lab.servers.map((server) => this.lab.lab.exec(server, ask, { anyExit: true })),
    )
    return answers.map(({ stdout }) => /version \d+/.exec(stdout)?.[0] ?? 'nothing')
  }

  /** Names of servers that are out of service. Throws where the balancer complains. */
  async out(): Promise<string[]> {
    if (/alert|emerg/i.test(this.#running.tail())) throw new Error(this.#running.tail())
    return this.balancer.out(this.lab.lab, this.lab.servers)
  }

  /** Steady load while `work` goes on. Gives the requests, and what wrk says of failures: nothing when there are none. */
  async underLoad<T>(work: () => Promise<T>): Promise<{ result: T; requests: number; failed: string[] }> {
    const { lab } = this.lab
    const options = ['-t1', '-c8', '-d', '900s', '--timeout', '60s', '-s', join(lab.directory, 'delay.lua')]
    const wrk = lab.spawn('deploy', ['wrk', ...options, `http://127.0.0.1:${BALANCER_PORT}/`])
    await setTimeout(1000)
    try {
      const result = await work()
      await setTimeout(1000)
      wrk.kill('SIGINT')
      await wrk.ended
      const requests = Number(/(\d+) requests in/.exec(wrk.stdout)?.[1])
      if (process.env.LAB_DEBUG) console.log(wrk.stdout)
      return { result, requests, failed: wrk.stdout.match(/(Socket errors|Non-2xx).*/g) ?? [] }
    } finally {
      wrk.kill('SIGKILL')
    }
  }
}
