import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, chmod, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compareTrees } from '../../bench/deploy/compare-trees.ts'
import { agentFile, isAlive, Project } from '../support/harness/tasks-harness.ts'

const execute = promisify(execFile)
const stopAll = ['murder:stop_peering', 'murder:stop_seeding', 'murder:stop_tracker', 'murder:clean']
let project: Project

beforeAll(async () => {
  project = await Project.make()
})
afterEach(async () => {
  const { code, output } = await project.shipit(stopAll)
  expect(code, output).toBe(0)
  expect(project.running()).toEqual([])
})
afterAll(() => project.end())

const description = async () =>
  JSON.parse(await readFile(project.path('project/.shipit-murder/staging/transfer.json'), 'utf8'))

describe('murder:setup', () => {
  it('uploads the agent once and says what the servers have', async () => {
    const first = await project.shipit(['murder:setup'])
    expect(first.code, first.output).toBe(0)
    for (const server of [0, 1]) {
      expect(first.output).toMatch(
        new RegExp(`^${project.name(server)} +v\\d+\\.\\d+\\.\\d+ +[\\d.]+ .iB +none +uploaded$`, 'm'),
      )
      expect(await readdir(project.on(server, 'shared/murder'))).toContainEqual(
        expect.stringMatching(/^murder-[0-9a-f]{16}\.mjs$/),
      )
    }
    const again = await project.event('setup', 'murder:setup')
    expect(again.servers).toMatchObject([{ agent: 'there' }, { agent: 'there' }])
  })

  it('sets up the others when a server is in a bad state, and exits with 1', async () => {
    const broken = await Project.make()
    try {
      await writeFile(broken.on(1), 'in the way')
      const { code, output } = await broken.shipit(['murder:setup'])
      expect(code).toBe(1)
      expect(output).toMatch(new RegExp(`^${broken.name(0)} +v.*uploaded$`, 'm'))
      expect(output).toMatch(new RegExp(`^${broken.name(1)}:? +check`, 'm'))
      expect(output.replace(/\s+/g, ' ')).toContain('1 of 2 servers failed: the other is set up')
      expect(output).not.toMatch(/^ {4}at /m)
    } finally {
      await broken.end()
    }
  })
})

describe('murder:create_torrent', () => {
  it('gives the same package for the same workspace, for nobody else to read', async () => {
    const first = await project.event('packaged', 'murder:create_torrent')
    const before = await description()
    const second = await project.event('packaged', 'murder:create_torrent')
    expect({ ...second, time: '' }).toEqual({ ...first, time: '' })
    expect(await description()).toEqual(before)
    expect(before).toMatchObject({
      tag: expect.stringMatching(/^\d{14}$/),
      infoHash: first.infoHash,
      compression: 'none',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      length: (await stat(String(first.path))).size,
    })
    const directory = project.path('project/.shipit-murder/staging')
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    for (const name of await readdir(directory)) {
      expect((await stat(join(directory, name))).mode & 0o077, name).toBe(0)
    }
  })

  it('takes the tag from MURDER_TAG and refuses one that is no name', async () => {
    const { code } = await project.shipit(['murder:create_torrent'], { env: { MURDER_TAG: 'mine' } })
    expect(code).toBe(0)
    expect((await description()).tag).toBe('mine')
    const bad = await project.shipit(['murder:create_torrent'], { env: { MURDER_TAG: '../up' } })
    expect(bad.code).toBe(2)
    expect(bad.output).toContain('MURDER_TAG (murder.tag) is "../up": allowed: letters, digits')
  })
})

describe('murder:start_tracker and murder:stop_tracker', () => {
  it('are harmless when repeated', async () => {
    const first = await project.event('tracker', 'murder:start_tracker')
    const second = await project.event('tracker', 'murder:start_tracker')
    expect([first.runsAlready, second.runsAlready]).toEqual([false, true])
    expect(second.pid).toBe(first.pid)
    // It runs, and has nothing to say to strangers.
    expect((await fetch(`http://127.0.0.1:${project.trackerPort}/stats`)).status).toBe(404)
    const stopped = await project.event('stopped', 'murder:stop_tracker')
    expect(stopped).toMatchObject({ role: 'tracker', wasRunning: true, pid: first.pid })
    expect(isAlive(first.pid)).toBe(false)
    const { code, output } = await project.shipit(['murder:stop_tracker'])
    expect(output).toContain('No tracker runs on the deploy host')
    expect(code).toBe(0)
  })

  it('say so when another program has the port', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(project.trackerPort, resolve))
    try {
      const { code, output } = await project.shipit(['murder:start_tracker'])
      expect(code).toBe(1)
      expect(output).toContain(`Port ${project.trackerPort} on the deploy host is taken by another program`)
      expect(output).toContain('set murder.tracker.port')
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
  })
})

describe('murder:seed', () => {
  it('gives the package to a peer that was started by hand, and says once that it seeds already', async () => {
    const first = await project.event('seeding', 'murder:seed')
    const second = await project.event('seeding', 'murder:seed')
    expect(second).toMatchObject({ pid: first.pid, tag: first.tag, runsAlready: true })
    const torrent = `${first.path}.torrent`
    const fetched = project.path('by-hand')
    const args = [
      'peer',
      torrent,
      fetched,
      '--tracker',
      String(first.tracker),
      '--no-linger',
      '--secret-file',
      String(first.secretFile),
    ]
    const { stdout } = await execute(process.execPath, [
      agentFile,
      ...args,
      '--run-dir',
      project.path('runs'),
    ])
    expect(stdout).toBe('Done and done\n')
    expect((await readFile(fetched)).equals(await readFile(String(first.path)))).toBe(true)
    await rm(fetched)
    const { output } = await project.shipit(['murder:stop_seeding'])
    expect(output).toContain(`Stopped the seeder of ${first.tag} on the deploy host (pid ${first.pid})`)
    const again = await project.shipit(['murder:stop_seeding'])
    expect(again.code).toBe(0)
    expect(again.output).toContain('No seeder of staging runs')
  })

  it('replaces the seeder when the content has changed', async () => {
    const first = await project.event('seeding', 'murder:seed')
    await appendFile(project.workspace('text'), 'more')
    const second = await project.event('seeding', 'murder:seed')
    expect(second.tag).not.toBe(first.tag)
    expect(second.infoHash).not.toBe(first.infoHash)
    expect([isAlive(first.pid), isAlive(second.pid)]).toEqual([false, true])
  })
})

describe('a project without a workspace of its own', () => {
  it('is fetched from its repository, and the same commit gives the same package', async () => {
    const git = (cwd: string, ...args: string[]) =>
      execute('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd })
    const repository = project.path('repository')
    await mkdir(repository)
    await writeFile(join(repository, 'file'), 'one')
    await git(repository, 'init', '-q', '-b', 'main')
    await git(repository, 'add', '.')
    await git(repository, 'commit', '-qm', 'One')
    const settings = { workspace: '', shallowClone: true, repositoryUrl: repository, branch: 'main' }
    const other = await Project.make(1, { ...settings, keepWorkspace: false, ignores: ['.git'] })
    try {
      const first = await other.event('seeding', 'murder:seed')
      const second = await other.event('seeding', 'murder:seed', 'murder:peer')
      expect(second).toMatchObject({ runsAlready: true, infoHash: first.infoHash })
      const { stdout } = await git(repository, 'rev-parse', 'HEAD')
      const release = other.on(0, 'releases', String(first.tag))
      expect(await readFile(join(release, 'REVISION'), 'utf8')).toBe(stdout)
      expect(await readFile(join(release, 'file'), 'utf8')).toBe('one')
    } finally {
      await other.end()
    }
  })

  it('that is its own workspace does not package what is kept for the steps', async () => {
    const other = await Project.make(1, { workspace: '.' })
    try {
      const env = { MURDER_OUTPUT: 'json' }
      const { events } = await other.shipit(['murder:seed', 'murder:peer'], { env })
      const received = events.find(({ event }) => event === 'received')
      expect(await readdir(other.on(0, 'releases', String(received?.tag)))).toEqual(['shipitfile.js'])
    } finally {
      await other.end()
    }
  })
})

it('murder:status shows the servers that do not answer, and no progress', async () => {
  const env = { MURDER_PEERS: `${project.name(0)},deploy@127.0.0.1:1` }
  const { code, output } = await project.shipit(['murder:status'], { env })
  expect(code).toBe(1)
  expect(output).toContain('nothing is known of them')
  expect(output).not.toContain('servers done')
})

describe('murder:peer', () => {
  it('says what to do when nothing is seeded', async () => {
    const { code, output } = await project.shipit(['murder:peer'])
    expect(code).toBe(1)
    expect(output).toContain(
      'Nothing is seeded for staging on the deploy host — run npx shipit staging murder:seed',
    )
  })

  it('unpacks on every server without publishing, in one call with the others', async () => {
    const run = await project.shipit(['murder:seed', 'murder:peer', 'murder:stop_seeding', 'murder:status'], {
      env: { MURDER_OUTPUT: 'json' },
    })
    expect(run.code, run.output).toBe(0)
    const received = run.events.find(({ event }) => event === 'received')
    for (const server of [0, 1]) {
      const release = project.on(server, 'releases', String(received?.tag))
      expect(await compareTrees(project.workspace(), release, { ignore: [], mtimes: true })).toEqual([])
      expect(existsSync(project.on(server, 'current'))).toBe(false)
    }
    const states = run.events.filter(({ event }) => event === 'status')
    expect(states).toMatchObject([
      { host: 'deploy host', runs: [{ role: 'tracker', port: project.trackerPort }] },
      { server: project.name(0), agent: true, runs: [{ role: 'peer', state: 'lingering' }] },
      { server: project.name(1), agent: true, runs: [{ role: 'peer', state: 'lingering' }] },
    ])

    const again = await project.shipit(['murder:seed', 'murder:peer'])
    expect(again.code, again.output).toBe(0)
    expect(again.output).toMatch(/2 servers have \S+ already/)

    const stopped = await project.event('stopped', 'murder:stop_peering')
    expect(stopped.peers).toMatchObject([{ tag: received?.tag }, { tag: received?.tag }])
    const nothing = await project.shipit(['murder:stop_peering'])
    expect(nothing.code).toBe(0)
    expect(nothing.output).toContain('No peer runs on any server')
  })

  it('goes on with the others when a server fails, and later does only that one', async () => {
    const env = { MURDER_TAG: 'one-fails' }
    await mkdir(project.on(1, 'shared/murder/tmp'), { recursive: true })
    await writeFile(project.on(1, 'shared/murder/tmp/one-fails'), 'in the way')
    const failed = await project.shipit(['murder:seed', 'murder:peer'], { env })
    expect(failed.code).toBe(1)
    expect(failed.output).toMatch(new RegExp(`^${project.name(1)}: transfer\n +cause +\\S`, 'm'))
    expect(failed.output).toContain('1 of 2 servers failed')
    expect(failed.output).not.toMatch(/^ {4}at /m)
    expect(existsSync(project.on(0, 'releases/one-fails'))).toBe(true)
    expect(await readdir(project.on(1, 'releases'))).not.toContain('.one-fails.partial')
    await rm(project.on(1, 'shared/murder/tmp/one-fails'), { force: true })
    const received = await project.event('received', 'murder:peer')
    expect(received).toMatchObject({ already: [project.name(0)], perServer: [{ server: project.name(1) }] })
  })

  it('touches no release of the same name that was made of something else', async () => {
    await mkdir(project.on(0, 'releases/taken'), { recursive: true })
    await writeFile(project.on(0, 'releases/taken/file'), 'somebody’s')
    const { code, events } = await project.shipit(['murder:seed', 'murder:peer'], {
      env: { MURDER_TAG: 'taken', MURDER_OUTPUT: 'json' },
    })
    expect(code).toBe(1)
    expect(events.filter(({ event }) => event === 'failed')).toMatchObject([
      { server: project.name(0), cause: 'releases/taken is there already and was not made of this package' },
    ])
    expect(await readdir(project.on(0, 'releases/taken'))).toEqual(['file'])
    expect(existsSync(project.on(1, 'releases/taken'))).toBe(false)
  })
})

describe('murder:clean', () => {
  it('removes what transfers left, and nothing else', async () => {
    const murder = (...names: string[]) => project.on(0, 'shared/murder', ...names)
    const dead = { pid: 999_999_999, start: '1', role: 'peer', tag: 'dead', started: 0 }
    await mkdir(murder('tmp/dead/peer-dead'), { recursive: true })
    await writeFile(murder('tmp/dead/peer-dead/state.json'), JSON.stringify(dead))
    await writeFile(murder('tmp/dead/package'), 'half')
    const locked = project.on(0, 'releases/.dead.partial/locked')
    await mkdir(locked, { recursive: true })
    await writeFile(join(locked, 'file'), 'half')
    await chmod(locked, 0o500)
    await writeFile(murder('murder-0123456789abcdef.mjs'), 'old')
    // An earlier version kept there what V8 had compiled.
    await mkdir(murder('compiled'))
    await writeFile(murder('compiled', 'murder-0123456789abcdef.mjs-01234567-receive-v20.19.0-x64'), 'old')
    const kept = [
      'shared/murder/tmp/foreign/data',
      'shared/murder/tmp/foreign/package/file',
      'releases/20200101000000/file',
      'releases/.hidden/file',
    ]
    for (const path of kept) {
      await mkdir(project.on(0, path, '..'), { recursive: true })
      await writeFile(project.on(0, path), 'keep')
    }
    const cleaned = await project.event('cleaned', 'murder:clean')
    expect((cleaned.servers as unknown[])[0]).toEqual({
      server: project.name(0),
      removed: ['transfer dead', 'half-made release dead', 'old agent murder-0123456789abcdef.mjs'],
      running: [],
      stuck: [],
    })
    for (const path of [murder('tmp/dead'), murder('compiled')]) expect(existsSync(path), path).toBe(false)
    expect(existsSync(project.on(0, 'releases/.dead.partial'))).toBe(false)
    for (const path of kept) expect(await readFile(project.on(0, path), 'utf8')).toBe('keep')
    const again = await project.shipit(['murder:clean'])
    expect(again.output).toContain('Nothing to clean')
  })

  it('leaves alone what runs, here and there', async () => {
    const run = await project.shipit(['murder:seed', 'murder:peer', 'murder:clean', 'murder:status'], {
      env: { MURDER_OUTPUT: 'json', MURDER_TAG: 'runs' },
    })
    expect(run.code, run.output).toBe(0)
    const cleaned = run.events.find(({ event }) => event === 'cleaned')
    expect(cleaned?.servers).toMatchObject([
      { server: project.name(0), removed: [], running: ['transfer runs'] },
      { server: project.name(1), removed: [], running: ['transfer runs'] },
      { server: 'deploy host', removed: [], running: ['package runs'] },
    ])
    const states = run.events.filter(({ event }) => event === 'status')
    expect(states.map(({ runs }) => (runs as unknown[]).length)).toEqual([2, 1, 1])
  })
})

describe('murder:distribute', () => {
  it('brings the workspace to every server and leaves nothing running', async () => {
    const received = await project.event('received', 'murder:distribute')
    expect(project.running()).toEqual([])
    for (const server of [0, 1]) {
      const release = project.on(server, 'releases', String(received.tag))
      expect(await compareTrees(project.workspace(), release, { ignore: [], mtimes: true })).toEqual([])
      expect(await readdir(project.on(server, 'shared/murder/tmp'))).not.toContain(received.tag)
    }
    expect(existsSync(project.path('project/.shipit-murder/staging'))).toBe(false)
  })

  it('stops everything when a server fails, and exits with 1', async () => {
    await writeFile(project.on(1, 'shared/murder/tmp/fails'), 'in the way')
    const { code, output } = await project.shipit(['murder:distribute'], { env: { MURDER_TAG: 'fails' } })
    expect(code).toBe(1)
    expect(output).toMatch(new RegExp(`^${project.name(1)}: transfer\n +cause +\\S`, 'm'))
    expect(project.running()).toEqual([])
    await rm(project.on(1, 'shared/murder/tmp/fails'), { force: true })
  })

  it('stops everything on Ctrl-C, and exits with 130', async () => {
    const { code, output } = await project.shipit(['murder:distribute'], {
      env: { MURDER_UPLOAD_LIMIT: '20K', MURDER_TAG: 'slow' },
      interruptAt: 'transfer 0%',
    })
    expect(output).toContain('Interrupted')
    expect(code).toBe(130)
    expect(project.running()).toEqual([])
    for (const server of [0, 1]) {
      expect(await readdir(project.on(server, 'releases'))).not.toContainEqual(
        expect.stringContaining('slow'),
      )
      expect(await readdir(project.on(server, 'shared/murder/tmp'))).not.toContain('slow')
    }
  })
})

it('a server that is down is named by each task, and keeps none from what it can do without it', async () => {
  const other = await Project.make(2)
  try {
    await other.fleet.servers[1]?.stop()
    const env = { MURDER_OUTPUT: 'json' }
    const seeding = await other.event('seeding', 'murder:seed')
    expect(isAlive(seeding.pid)).toBe(true)
    for (const name of ['setup', 'peer', 'status', 'stop_peering', 'clean']) {
      const { code, events, output } = await other.shipit([`murder:${name}`], { env })
      const failed = events.filter(({ event }) => event === 'failed')
      expect(failed, name).toMatchObject([{ server: other.name(1) }])
      expect(code, name).toBe(1)
      expect(output, name).not.toMatch(/^ {4}at /m)
    }
    const { code } = await other.shipit(['murder:stop_seeding', 'murder:stop_tracker'], { env })
    expect(code).toBe(0)
    expect(other.running()).toEqual([])
  } finally {
    await other.end()
  }
})

describe('with seeder set to a server', () => {
  const elsewhere = () => ({ env: { MURDER_SEEDER: project.name(1), MURDER_OUTPUT: 'json' } })

  it('the single steps run there', async () => {
    const run = await project.shipit(['murder:seed', 'murder:peer', 'murder:status'], elsewhere())
    expect(run.code, run.output).toBe(0)
    const again = await project.shipit(['murder:seed'], elsewhere())
    expect(again.code, again.output).toBe(0)
    const [first, second] = [...run.events, ...again.events].filter(({ event }) => event === 'seeding')
    expect(first?.tracker).toBe(
      `http://${project.fleet.remotes[1]?.host}:${project.trackerPort}/{secret}/announce`,
    )
    expect(second).toMatchObject({ runsAlready: true, pid: first?.pid })
    const states = run.events.filter(({ event }) => event === 'status')
    expect(states[0]).toMatchObject({ host: 'deploy host', runs: [] })
    expect(states[2]?.runs).toMatchObject([{ role: 'tracker' }, { role: 'seeder' }, { role: 'peer' }])
    for (const server of [0, 1]) {
      const release = project.on(server, 'releases', String(first?.tag))
      expect(await compareTrees(project.workspace(), release, { ignore: [], mtimes: true })).toEqual([])
    }
    const ended = await project.shipit(stopAll, elsewhere())
    expect(ended.code, ended.output).toBe(0)
    expect(isAlive(first?.pid)).toBe(false)
    expect(project.running()).toEqual([])
    expect(existsSync(project.on(1, 'shared/murder/seed'))).toBe(false)
    expect(existsSync(project.on(1, 'shared/murder/run'))).toBe(false)
  })

  it('a deploy seeds from there and leaves nothing', async () => {
    const run = await project.shipit(['deploy'], elsewhere())
    expect(run.code, run.output).toBe(0)
    for (const server of [0, 1]) {
      const release = project.on(server, await readlink(project.on(server, 'current')))
      expect(await compareTrees(project.workspace(), release, { ignore: [], mtimes: true })).toEqual([])
      expect(await readdir(project.on(server, 'shared/murder/tmp'))).not.toContainEqual(
        expect.stringMatching(/^\d{14}$/),
      )
    }
    await project.quiet()
  })
})
