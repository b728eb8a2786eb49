import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { makeProject, type Project } from '../../../bench/deploy/project.ts'
import type { LabHost } from '../lab/host.ts'
import { Lab, type LabOptions } from '../lab/lab.ts'
import type { LabProcess } from '../lab/process.ts'
import type { LabSshd } from '../lab/sshd.ts'

export const deployTo = '/srv/app'

/** What was printed, as if the terminal were as wide as it takes. */
export const flat = (text: string) => text.replace(/\s+/g, ' ')

/** `text` is all that it said. */
export interface Ended {
  code: number | null
  text: string
  stderr: string
}

/** What a running deploy knows and nobody else should. */
export interface RunningDeploy {
  torrent: string
  infoHash: string
  secret: string
}

export interface DeployLabOptions extends Pick<LabOptions, 'rate' | 'sites' | 'longLink'> {
  strangers?: number
  config?: string[]
}

/** A lab whose deploy host has a project that deploys its workspace, as it is, to all servers. */
export class DeployLab {
  readonly lab: Lab
  readonly servers: LabHost[]
  /** Of each server. */
  readonly sshds: LabSshd[]
  readonly strangers: LabHost[]
  readonly project: Project

  /** `strangers`: hosts beside the fleet, without sshd. `config`: lines for every server's sshd_config. */
  static async of(
    servers: number,
    { strangers = 0, config = [] as string[], ...links }: DeployLabOptions = {},
  ): Promise<DeployLab> {
    const hosts = servers + strangers
    const lab = await Lab.create({ hosts, deployHost: true, rate: 100_000_000, ...links })
    const fleet = lab.servers.slice(0, servers)
    const sshds = await Promise.all(fleet.map((server) => lab.sshd(server, { config })))
    const addresses = fleet.map(({ address }) => address)
    const project = await makeProject(
      ...([join(lab.directory, 'project'), 'murder', addresses, deployTo, lab.keys.identity] as const),
    )
    const shipitfile = join(project.directory, 'shipitfile.js')
    // What there is to tell a peer of the swarm is put into a file: nothing else gives the infohash in time. Servers get their
    // orders $HOLD_MS later.
    const hook = `shipit.on('murder:seeding', (event) => {
    require('fs').writeFileSync('seeding.json', JSON.stringify(event))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.HOLD_MS ?? 0))
  })`
    const text = readFileSync(shipitfile, 'utf8').replace(/"repositoryUrl": .*\n/, '"keepWorkspace": true,\n')
    writeFileSync(shipitfile, text.replace(/^}$/m, `  ${hook}\n}`))
    return new DeployLab(lab, fleet, sshds, project)
  }

  private constructor(lab: Lab, servers: LabHost[], sshds: LabSshd[], project: Project) {
    this.lab = lab
    this.servers = servers
    this.sshds = sshds
    this.strangers = lab.servers.filter((host) => !servers.includes(host))
    this.project = project
  }

  server(index: number): LabHost {
    return this.servers[index] as LabHost
  }

  label(index: number): string {
    return `root@${this.server(index).address}`
  }

  /** As if there had never been a deploy. */
  async reset(): Promise<void> {
    await Promise.all(this.servers.map((server) => this.lab.restore(server)))
    const { workspace, directory } = this.project
    const own = ['.shipit-murder', 'seeding.json'].map((name) => join(directory, name))
    const applications = this.servers.map((server) => server.outside(deployTo))
    for (const path of [...applications, workspace, ...own]) await rm(path, { recursive: true, force: true })
  }

  /** A new workspace. */
  plant(megabytes = 0): void {
    const { workspace } = this.project
    mkdirSync(workspace, { recursive: true })
    writeFileSync(join(workspace, 'file'), randomBytes(1000))
    if (megabytes > 0) writeFileSync(join(workspace, 'large'), randomBytes(megabytes * 1_000_000))
  }

  start(env: Record<string, string> = {}, ...tasks: string[]): LabProcess {
    const names = tasks.length > 0 ? tasks : ['deploy']
    return this.lab.spawn('deploy', [process.execPath, 'node_modules/.bin/shipit', 'production', ...names], {
      cwd: this.project.directory,
      env,
    })
  }

  async run(env: Record<string, string> = {}, ...tasks: string[]): Promise<Ended> {
    return this.end(this.start(env, ...tasks))
  }

  async end(program: LabProcess): Promise<Ended> {
    const { code } = await program.ended
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of Shipit's log
    const text = `${program.stdout}${program.stderr}`.replace(/\x1b\[\d+m/g, '')
    if (process.env.LAB_DEBUG) console.log(code, text)
    return { code, text, stderr: program.stderr }
  }

  /** Once it seeds. */
  async seeding(program: LabProcess): Promise<RunningDeploy> {
    const file = join(this.project.directory, 'seeding.json')
    let over = false
    void program.ended.finally(() => {
      over = true
    })
    while (!existsSync(file)) {
      if (over) throw new Error(`it ended before it seeded\n${program.tail()}`)
      await setTimeout(50)
    }
    await setTimeout(50)
    const { infoHash } = JSON.parse(readFileSync(file, 'utf8')) as { infoHash: string }
    const tmp = this.lab.deployHost.outside('/tmp')
    const directory = readdirSync(tmp).find((name) => existsSync(join(tmp, name, 'package.torrent')))
    const path = join(tmp, directory ?? '', 'package.torrent')
    const secret = join(tmp, directory ?? '', 'secret')
    return { infoHash, torrent: path, secret: existsSync(secret) ? readFileSync(secret, 'utf8') : '' }
  }

  live(server: LabHost): string | undefined {
    try {
      return readlinkSync(server.outside(`${deployTo}/current`))
    } catch {
      return undefined
    }
  }

  lives(): (string | undefined)[] {
    return this.servers.map((server) => this.live(server))
  }

  /** Servers whose live release is the workspace. */
  upToDate(): string[] {
    const wanted = readdirSync(this.project.workspace).map((name) => [name, this.project.workspace] as const)
    const isSame = (server: LabHost) =>
      wanted.every(([name, directory]) => {
        const there = server.outside(`${deployTo}/${this.live(server)}/${name}`)
        return existsSync(there) && readFileSync(there).equals(readFileSync(join(directory, name)))
      })
    return this.servers.filter(isSame).map(({ name }) => name)
  }

  list(host: LabHost, path: string): string[] {
    const outside = host.outside(path)
    return existsSync(outside) ? readdirSync(outside).sort() : []
  }

  async leftovers(except: LabHost[] = []): Promise<string[]> {
    const found: string[] = []
    for (const host of this.lab.hosts.filter((host) => !except.includes(host))) {
      const { stdout } = await this.lab.exec(host, ['ps', '-eo', 'args='])
      found.push(
        ...stdout.split('\n').filter((line) => /murder\S*\.mjs|ssh -p|murder\/lock/.test(line)),
        ...this.list(host, `${deployTo}/shared/murder/tmp`),
        ...this.list(host, '/tmp').filter((name) => /murder/.test(name)),
        ...this.list(host, `${deployTo}/shared/murder`).filter((name) => name.startsWith('lock')),
        ...this.list(host, `${deployTo}/releases`).filter((name) => !/^\d{14}$/.test(name)),
      )
    }
    return found
  }

  /** What is left in the end; nobody says when the last process has gone. */
  async quiet(seconds = 60, except: LabHost[] = []): Promise<string[]> {
    for (let attempt = 0; attempt < seconds * 5; attempt++) {
      if ((await this.leftovers(except)).length === 0) return []
      await setTimeout(200)
    }
    return this.leftovers(except)
  }
}
