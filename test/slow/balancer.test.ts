import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MurderSettings } from '../../src/config/schema.ts'
import { BALANCER_PORT, type Balancer, haproxy, nginx, SERVICE_PORT } from '../support/harness/balancer.ts'
import { DeployLab, deployTo, flat } from '../support/harness/lab-deploy.ts'
import { hasNft, labAvailable } from '../support/lab/lab.ts'
import type { LabProcess } from '../support/lab/process.ts'

const SERVERS = 6
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
const ACTIVATE = [
  `p=$(cat ${PID} 2>/dev/null)`,
  '[ -z "$p" ] || { kill "$p"; while kill -0 "$p" 2>/dev/null; do sleep 0.1; done; }',
  `setsid ${process.execPath} service.mjs </dev/null >/dev/null 2>&1 & echo $! >${PID}`,
  `until bash -c '${ASK}' >/dev/null 2>&1; do sleep 0.1; done`,
].join('\n')

/** On the server: its sshd takes no connection any more. The open ones live on. */
const BLOCK =
  'nft add table inet t && nft add chain inet t c "{ type filter hook input priority 0; }" && nft add rule inet t c tcp dport 22 ct state new drop'

const isThere = (program: string) => spawnSync('which', [program]).status === 0
const isPossible = (balancer: Balancer) =>
  labAvailable() && hasNft() && isThere('wrk') && isThere(balancer.program)

describe.each([haproxy, nginx].filter(isPossible))('a rollout behind $program, under load', (balancer) => {
  let fleet: DeployLab
  let process: LabProcess
  let version = 0

  beforeAll(async () => {
    fleet = await DeployLab.of(SERVERS)
    const { lab, servers } = fleet
    process = await balancer.start(lab, servers)
    writeFileSync(join(lab.directory, 'delay.lua'), 'function delay() return 20 end\n')
    configure()
    plant()
    expect(await fleet.run({ MURDER_ROLLOUT_BEFORE: 'true' })).toMatchObject({ code: 0 })
  })
  afterAll(() => fleet?.lab.destroy())
  beforeEach(async () => {
    plant()
    expect(process.tail()).not.toMatch(/alert|emerg/i)
    expect(await balancer.out(fleet.lab, fleet.servers)).toEqual([])
  })

  /** Writes the settings into the shipitfile: the first group is one server, the second two more. */
  function configure(more: MurderSettings = {}): void {
    const file = join(fleet.project.directory, 'shipitfile.js')
    const { rollout = {}, ...rest } = more
    const murder = {
      node: globalThis.process.execPath,
      activate: ACTIVATE,
      healthCheck: `bash -c '${ASK}' | grep -q "^version "`,
      ...rest,
      rollout: { groups: [1, 3, '100%'], watch: 1, ...balancer.hooks(fleet.lab), ...rollout },
    }
    const text = readFileSync(file, 'utf8').replace(/\n {2}Object\.assign\(shipit\.config\.murder.*\n/, '\n')
    const line = `  Object.assign(shipit.config.murder ??= {}, ${JSON.stringify(murder)})`
    writeFileSync(file, text.replace(/\n}\s*$/, `\n${line}\n}\n`))
  }

  function plant(word = ''): void {
    fleet.plant()
    mkdirSync(fleet.project.workspace, { recursive: true })
    writeFileSync(join(fleet.project.workspace, 'service.mjs'), SERVICE)
    writeFileSync(join(fleet.project.workspace, 'version'), `version ${++version} ${word}\n`)
  }

  /** What the services of all servers say. */
  async function served(): Promise<string[]> {
    const answers = await Promise.all(
      fleet.servers.map((server) => fleet.lab.exec(server, ['bash', '-c', ASK], { anyExit: true })),
    )
    return answers.map(({ stdout }) => /version \d+/.exec(stdout)?.[0] ?? 'nothing')
  }

  /** Steady load while `work` goes on. Gives the requests, and what wrk says of failures: nothing when there are none. */
  async function underLoad<T>(
    work: () => Promise<T>,
  ): Promise<{ result: T; requests: number; failed: string[] }> {
    const options = [
      '-t1',
      '-c8',
      '-d',
      '900s',
      '--timeout',
      '60s',
      '-s',
      join(fleet.lab.directory, 'delay.lua'),
    ]
    const wrk = fleet.lab.spawn('deploy', ['wrk', ...options, `http://127.0.0.1:${BALANCER_PORT}/`])
    await new Promise((resolve) => setTimeout(resolve, 1000))
    try {
      const result = await work()
      await new Promise((resolve) => setTimeout(resolve, 1000))
      wrk.kill('SIGINT')
      await wrk.ended
      const requests = Number(/(\d+) requests in/.exec(wrk.stdout)?.[1])
      if (globalThis.process.env.LAB_DEBUG) console.log(wrk.stdout)
      return { result, requests, failed: wrk.stdout.match(/(Socket errors|Non-2xx).*/g) ?? [] }
    } finally {
      wrk.kill('SIGKILL')
    }
  }

  const all = (word: string) => Array(SERVERS).fill(word)
  const release = () => `version ${version}`

  test('three groups, and a rollback in the same ones: no request fails', async () => {
    configure()
    const { result, failed, requests } = await underLoad(async () => {
      const deploy = await fleet.run()
      const after = await served()
      return { deploy, after, rollback: await fleet.run({}, 'rollback') }
    })
    expect(result.deploy.code, result.deploy.text).toBe(0)
    expect(result.deploy.text).toContain('Publishing group 3 of 3')
    expect(result.after).toEqual(all(release()))
    expect(result.rollback.code, result.rollback.text).toBe(0)
    expect(result.rollback.text).toContain('Publishing group 3 of 3')
    expect(await served()).toEqual(all(`version ${version - 1}`))
    expect(failed).toEqual([])
    expect(requests).toBeGreaterThan(100)
    expect(await balancer.out(fleet.lab, fleet.servers)).toEqual([])
  })

  test('a health check that fails in the second group: all goes back, and no request fails', async () => {
    const before = await served()
    configure({ healthCheck: `[ "$(hostname)" != server2 ] || ! grep -q "${release()} " version` })
    const { result, failed } = await underLoad(() => fleet.run())
    expect(result.code, result.text).toBe(1)
    expect(flat(result.text)).toContain('every server has what it had before')
    expect(await served()).toEqual(before)
    expect(failed).toEqual([])
    expect(await balancer.out(fleet.lab, fleet.servers)).toEqual([])
  })

  test('kill -9 in the middle of a group: after murder:resume nobody is out of service, and no request has failed', async () => {
    const hang = `[ "$(hostname)" != server3 ] || [ -e ${deployTo}/shared/go ] || { touch ${deployTo}/shared/go; sleep 5; }`
    configure({ activate: `${ACTIVATE}\n${hang}` })
    const { result, failed } = await underLoad(async () => {
      const deploy = fleet.start()
      const go = fleet.server(2).outside(`${deployTo}/shared/go`)
      await expect.poll(() => existsSync(go), { timeout: 120_000 }).toBe(true)
      deploy.kill('SIGKILL')
      await deploy.ended
      expect(await balancer.out(fleet.lab, fleet.servers)).not.toEqual([])
      return fleet.run({}, 'murder:resume')
    })
    expect(result.code, result.text).toBe(0)
    expect(await served()).toEqual(all(release()))
    expect(failed).toEqual([])
    expect(await balancer.out(fleet.lab, fleet.servers)).toEqual([])
  })

  test('a release that blocks port 22: it goes back, and no request fails', async () => {
    const before = await served()
    configure({
      activate: `${ACTIVATE}\n[ "$(hostname)" != server2 ] || ! grep -q "${release()} " version || { ${BLOCK}; }`,
      rollout: { confirm: 5, undo: 'nft delete table inet t 2>/dev/null; true' },
      timeouts: { connect: 4 },
    })
    const { result, failed } = await underLoad(() => fleet.run())
    expect(result.code, result.text).toBe(1)
    expect(await served()).toEqual(before)
    expect(failed).toEqual([])
    expect(await balancer.out(fleet.lab, fleet.servers)).toEqual([])
    plant()
    expect((await fleet.run()).code).toBe(0)
    expect(await served()).toEqual(all(release()))
  })
})
