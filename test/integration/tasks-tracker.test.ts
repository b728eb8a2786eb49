import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmod, mkdir, readlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compareTrees } from '../../bench/deploy/compare-trees.ts'
import { announce } from '../../src/torrent/tracker/announce.ts'
import { Project } from '../support/harness/tasks-harness.ts'
import { processOf } from '../support/processes.ts'

let project: Project
const started: ChildProcess[] = []

beforeAll(async () => {
  project = await Project.make(3)
  await writeFile(project.workspace('larger'), Buffer.alloc(4 << 20, 'something that takes its time'))
})
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  await project.quiet()
  // Single steps and deploys take their names from the clock, to the second.
  await setTimeout(1000)
})
afterAll(() => project.end())

async function expectDeployed() {
  for (const server of [0, 1, 2]) {
    const release = project.on(server, await readlink(project.on(server, 'current')))
    expect(await compareTrees(project.workspace(), release, { ignore: [], mtimes: true })).toEqual([])
  }
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.end())
  })

/** Also that it has said on which port it listens, which it does before it answers anybody. */
const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  )

/** Starts a tracker of another maker and waits until it answers. */
async function startTracker(program: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } })
  started.push(child)
  await expect.poll(() => listens(project.trackerPort), { timeout: 30_000 }).toBe(true)
}

const has = (program: string) => {
  try {
    execFileSync('which', [program])
    return true
  } catch {
    return false
  }
}

describe('without a tracker', () => {
  it('a deploy completes with tracker: false', async () => {
    let everListened = false
    const timer = setInterval(async () => {
      everListened ||= await listens(project.trackerPort)
    }, 50)
    const { code, output } = await project.shipit(['deploy'], { env: { MURDER_TRACKER: 'false' } })
    clearInterval(timer)
    expect(code, output).toBe(0)
    expect(everListened).toBe(false)
    await expectDeployed()
  })

  it('a deploy completes when the tracker is killed right after its start', async () => {
    let killed = 0
    const timer = setInterval(async () => {
      if (killed > 0 || !(await answers(project.trackerPort))) return
      const tracker = processOf(`murder.mjs tracker --port ${project.trackerPort} `)
      if (tracker === undefined || killed > 0) return
      process.kill(tracker, 'SIGKILL')
      killed++
    }, 20)
    const { code, output } = await project.shipit(['deploy'], {
      env: { MURDER_UPLOAD_LIMIT: '3M', MURDER_DELTAS: 'no' },
    })
    clearInterval(timer)
    expect(killed).toBe(1)
    expect(output).toContain('The tracker ended early')
    expect(code, output).toBe(0)
    await expectDeployed()
  })

  it('single steps say so', async () => {
    const env = { MURDER_TRACKER: 'no' }
    const { code, output } = await project.shipit(['murder:seed', 'murder:start_tracker', 'murder:peer'], {
      env,
    })
    expect(code, output).toBe(0)
    expect(output).toMatch(/tracker +none/)
    expect(output).toContain('There is to be no tracker')
    await project.shipit(['murder:stop_peering', 'murder:stop_seeding', 'murder:clean'])
  })
})

/** `peers` that the tracker knows of when the seeder is there: whoever asks is not counted. */
async function knownPeers(url: string, infoHash: unknown): Promise<string[]> {
  const ours = {
    peerId: '2d4d55303130302d'.padEnd(40, '0'),
    port: 1,
    uploaded: 0,
    downloaded: 0,
    left: 1,
    want: 50,
  }
  return (await announce(url, { infoHash: String(infoHash), ...ours })).peers
}

describe.each([
  {
    program: 'opentracker',
    // Debian's serves only what its list names.
    args: (port: number) => ['-i', '127.0.0.1', '-p', String(port), '-w', project.path('served')],
  },
  {
    program: 'qbittorrent-nox',
    args: (port: number) => [`--profile=${project.path('qbittorrent')}`, `--webui-port=${port + 1}`],
  },
])('a tracker elsewhere: $program', ({ program, args }) => {
  it.skipIf(!has(program))('is told by all, and nothing of ours listens in its place', async () => {
    const packaged = await project.event('packaged', 'murder:create_torrent')
    await writeFile(project.path('served'), `${packaged.infoHash}\n`)
    // Started by root, opentracker becomes nobody, who is to read that list.
    await chmod(project.path(), 0o755)
    if (program === 'qbittorrent-nox') await writeProfile()
    await startTracker(program, args(project.trackerPort), { HOME: project.path() })
    const url = `http://127.0.0.1:${project.trackerPort}/announce`
    const env = { MURDER_TRACKER: url, MURDER_OUTPUT: 'json' }
    const run = await project.shipit(['murder:start_tracker', 'murder:start_seeding', 'murder:peer'], { env })
    expect(run.code, run.output).toBe(0)
    const seeding = run.events.find(({ event }) => event === 'seeding')
    expect(seeding?.tracker).toBe(url)
    await expect
      .poll(async () => (await knownPeers(url, seeding?.infoHash)).length, { timeout: 30_000 })
      .toBeGreaterThanOrEqual(2)
    const stopped = await project.shipit(['murder:stop_peering', 'murder:stop_seeding', 'murder:clean'], {
      env,
    })
    expect(stopped.code, stopped.output).toBe(0)
    const deployed = await project.shipit(['deploy'], { env })
    expect(deployed.code, deployed.output).toBe(0)
    await expectDeployed()
  })
})

/** qBittorrent's embedded tracker is off unless its settings say otherwise. */
async function writeProfile() {
  const directory = project.path('qbittorrent/qBittorrent/config')
  await mkdir(directory, { recursive: true })
  await writeFile(
    `${directory}/qBittorrent.conf`,
    [
      ...['[LegalNotice]', 'Accepted=true'],
      ...['[Preferences]', `Advanced\\trackerPort=${project.trackerPort}`],
      ...['[BitTorrent]', 'TrackerEnabled=true', ''],
    ].join('\n'),
  )
}

it('a tracker elsewhere that cannot be reached is said so', async () => {
  const env = { MURDER_TRACKER: `http://127.0.0.1:${project.trackerPort}/announce` }
  const { code, output } = await project.shipit(['murder:start_tracker'], { env })
  expect(code).toBe(1)
  expect(output).toContain('cannot be reached from here: ECONNREFUSED')
  const deployed = await project.shipit(['deploy'], { env })
  expect(deployed.code, deployed.output).toBe(0)
})
