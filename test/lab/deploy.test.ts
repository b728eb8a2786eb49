import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeProject, type Project } from '../../bench/deploy/project.ts'
import { nastyTree } from '../integration/nasty-tree.ts'
import { Lab, labAvailable } from '../support/lab.ts'
import type { LabHost } from '../support/lab-host.ts'
import { survey } from '../unit/package/trees.ts'

const whole = (root: string) => survey(root, (mtime) => String(mtime / 1000n))
const deployTo = '/srv/app'

describe.skipIf(!labAvailable())('whole deploys in a lab of five servers', () => {
  let lab: Lab
  let project: Project
  /** Of two servers only. */
  let pair: Project

  beforeAll(async () => {
    lab = await Lab.create({ hosts: 5, deployHost: true, rate: 100_000_000 })
    await Promise.all(lab.servers.map((server) => lab.sshd(server)))
    const addresses = lab.servers.map(({ address }) => address)
    project = await makePlainProject('deploy', addresses)
    pair = await makePlainProject('pair', addresses.slice(0, 2))
  })
  afterAll(() => lab?.destroy())
  afterEach(async () => {
    const applications = lab.servers.map((server) => server.outside(deployTo))
    for (const path of [...applications, project.workspace, pair.workspace])
      await rm(path, { recursive: true, force: true })
    for (const { workspace } of [project, pair]) mkdirSync(workspace)
  })

  /** One that deploys its workspace as it is, without a repository. */
  async function makePlainProject(name: string, addresses: string[]): Promise<Project> {
    const made = await makeProject(
      join(lab.directory, name),
      'murder',
      addresses,
      deployTo,
      lab.keys.identity,
    )
    const shipitfile = join(made.directory, 'shipitfile.js')
    const text = readFileSync(shipitfile, 'utf8')
    writeFileSync(shipitfile, text.replace(/"repositoryUrl": .*\n/, '"keepWorkspace": true,\n'))
    return made
  }

  const start = (env: Record<string, string> = {}, { directory } = project) =>
    lab.spawn('deploy', ['npx', 'shipit', 'production', 'deploy'], { cwd: directory, env })

  async function deploy(env: Record<string, string> = {}, of = project) {
    const program = start(env, of)
    const { code } = await program.ended
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of Shipit's log
    return { code, stdout: program.stdout.replace(/\x1b\[\d+m/g, ''), stderr: program.stderr }
  }

  const list = (server: LabHost, path: string) => {
    const outside = server.outside(path)
    return existsSync(outside) ? readdirSync(outside).sort() : []
  }

  const live = (server: LabHost): string | undefined => {
    try {
      return readlinkSync(server.outside(`${deployTo}/current`))
    } catch {
      return undefined
    }
  }

  /** What a deploy has left on servers and deploy host: processes, temporary files, partial releases. */
  async function leftovers(except: LabHost[] = []): Promise<string[]> {
    const found: string[] = []
    for (const host of lab.hosts.filter((host) => !except.includes(host))) {
      const { stdout } = await lab.exec(host, ['ps', '-eo', 'args='])
      found.push(...stdout.split('\n').filter((line) => /murder\S*\.mjs|ssh -p/.test(line)))
      found.push(
        ...list(host, `${deployTo}/shared/murder/tmp`),
        ...list(host, '/tmp').filter((name) => /murder/.test(name)),
      )
      found.push(...list(host, `${deployTo}/releases`).filter((name) => !/^\d{14}$/.test(name)))
    }
    return found
  }

  /** Peers end within moments of losing their directory, which nothing announces. */
  async function quiet(except: LabHost[] = []): Promise<string[]> {
    for (let attempt = 0; attempt < 25; attempt++) {
      if ((await leftovers(except)).length === 0) return []
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    return leftovers(except)
  }

  test('every server has the very same tree, also the one that was emptied before the second deploy', async () => {
    nastyTree(project.workspace)
    for (const turn of ['first', 'second']) {
      const run = await deploy()
      expect(run).toMatchObject({ code: 0, stderr: '' })
      if (turn === 'second') expect(run.stdout).toMatch(/^reused/m)
      for (const server of lab.servers)
        expect(whole(server.outside(`${deployTo}/${live(server)}`))).toEqual(whole(project.workspace))
      expect(await quiet()).toEqual([])
      rmSync((lab.servers[3] as LabHost).outside(deployTo), { recursive: true })
      writeFileSync(join(project.workspace, 'two words'), 'changed')
    }
  })

  test('a full disk: what is missing is said before anything is sent, nothing changes', async () => {
    nastyTree(project.workspace)
    expect(await deploy()).toMatchObject({ code: 0 })
    const before = lab.servers.map(live)
    writeFileSync(join(project.workspace, 'large'), randomBytes(20_000_000))
    const server = lab.servers[1] as LabHost
    const temporary = `${deployTo}/shared/murder/tmp`
    await lab.exec(server, ['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', temporary])
    try {
      const run = await deploy()
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(new RegExp(`^root@${server.address} +check +the disk is too full`, 'm'))
      expect(lab.servers.map(live)).toEqual(before)
      expect(await quiet()).toEqual([])
    } finally {
      await lab.exec(server, ['umount', temporary])
    }
  })

  test('a disk that fills up while it unpacks: nothing is published or left anywhere', async () => {
    nastyTree(project.workspace)
    expect(await deploy()).toMatchObject({ code: 0 })
    const before = lab.servers.map(live)
    writeFileSync(join(project.workspace, 'large'), randomBytes(20_000_000))
    const server = lab.servers[2] as LabHost
    // There is room when the server is asked; then its own node fills the disk before it receives.
    await lab.exec(server, ['mount', '-t', 'tmpfs', '-o', 'size=60m', 'tmpfs', '/srv/app/releases'])
    const node = join(lab.directory, 'node')
    const filler = `if [ "$(hostname)" = ${server.name} ]; then case "$*" in *receive*) head -c 45000000 /dev/zero >/srv/app/releases/filler;; esac; fi`
    writeFileSync(node, `#!/bin/sh\n${filler}\nexec '${process.execPath}' "$@"\n`)
    chmodSync(node, 0o755)
    try {
      const run = await deploy({ MURDER_NODE: node })
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(new RegExp(`^root@${server.address} +unpack +\\S`, 'm'))
      expect(run.stdout.replace(/\s+/g, ' ')).toMatch(/it takes [\d.]+ MiB, and [\d.]+ \S+ are free/)
      expect(run.stdout).toContain('1 of 5 servers failed: nothing was published')
      expect(lab.servers.filter((other) => other !== server).map(live)).toEqual(before.toSpliced(2, 1))
      const { stdout } = await lab.exec(server, ['ls', '-A', '/srv/app/releases'])
      expect(stdout).toBe('filler\n')
      expect(await quiet([server])).toEqual([])
    } finally {
      await lab.exec(server, ['umount', '/srv/app/releases'])
    }
    expect(await deploy()).toMatchObject({ code: 0 })
  })

  test('an address of the deploy host that leads nowhere is named, with what helps', async () => {
    nastyTree(project.workspace)
    const run = await deploy({ MURDER_ANNOUNCE: '10.77.200.200', MURDER_TIMEOUTS_CONNECT: '4' })
    expect(run.code).toBe(1)
    const text = run.stdout.replace(/\s+/g, ' ')
    expect(text).toContain('10.77.200.200:8998')
    expect(text).toContain('murder.announce')
    expect(lab.servers.map(live)).toEqual(Array(5).fill(undefined))
    expect(await quiet()).toEqual([])
  })

  test('a server that is cut off in the middle', async () => {
    writeFileSync(join(project.workspace, 'large'), randomBytes(40_000_000))
    const program = start({ MURDER_TIMEOUTS_STALL: '2', MURDER_DOWNLOAD_LIMIT: '4M' })
    await program.line(/^transfer [1-9]/)
    const server = lab.servers[4] as LabHost
    await lab.cut(server)
    const { code } = await program.ended
    await lab.restore(server)
    expect(code).toBe(1)
    expect(program.stdout).toMatch(new RegExp(`${server.address} +transfer +`))
    expect(lab.servers.map(live)).toEqual(Array(5).fill(undefined))
    expect(await quiet([server])).toEqual([])
    expect(await deploy()).toMatchObject({ code: 0 })
  })

  test('50,000 small files', async () => {
    for (let directory = 0; directory < 500; directory++) {
      mkdirSync(join(pair.workspace, `d${directory}`))
      for (let file = 0; file < 100; file++)
        writeFileSync(join(pair.workspace, `d${directory}/f${file}`), `${directory} ${file}`)
    }
    expect(await deploy({}, pair)).toMatchObject({ code: 0, stderr: '' })
    await Promise.all(
      lab.servers
        .slice(0, 2)
        .map((server) => lab.exec(server, ['diff', '-r', pair.workspace, `${deployTo}/current/`])),
    )
    expect(await quiet()).toEqual([])
  })
})
