import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compareTrees } from '../../bench/deploy/compare-trees.ts'
import { agentFile, isAlive, Project } from '../support/harness/tasks-harness.ts'

/** Twitter's Murder as its README tells it, by its own names: docs/from-murder.md. */
const execute = promisify(execFile)
let project: Project

beforeAll(async () => {
  project = await Project.make()
})
afterEach(async () => {
  const stop = [
    'murder:stop_all_peering',
    'murder:stop_all_seeding',
    'murder:stop_tracker',
    'murder:clean_temp_files',
  ]
  const { code, output } = await project.shipit(stop)
  expect(code, output).toBe(0)
  expect(project.running()).toEqual([])
})
afterAll(() => project.end())

const servers = [0, 1]
const target = (server: number, ...names: string[]) => project.on(server, '..', 'files', ...names)
/** The same path on every server: each has a directory of its own for it. */
const destination = () => `${project.fleet.home}/files`

async function ok(tasks: string[], env: Record<string, string> = {}) {
  const run = await project.shipit(tasks, { env })
  expect(run.code, run.output).toBe(0)
  return run
}

describe('the manual use of Murder’s README', () => {
  it('distributes a directory to <destination>/<tag> on all servers', async () => {
    const files = project.path('files')
    await mkdir(`${files}/deep/empty`, { recursive: true })
    await writeFile(`${files}/deep/data`, Buffer.alloc(300_000, 'abc'))
    const tag = { MURDER_TAG: 'Deploy1' }
    await ok(['murder:distribute_files'])
    await ok(['murder:start_tracker'])
    await ok(['murder:create_torrent'], { ...tag, MURDER_FILES_PATH: files })
    await ok(['murder:start_seeding'], tag)
    await ok(['murder:peer'], { ...tag, MURDER_DESTINATION_PATH: destination() })
    for (const server of servers)
      expect(await compareTrees(files, target(server, 'Deploy1'), { ignore: [], mtimes: true })).toEqual([])
    await ok(['murder:stop_seeding'], tag)
    await ok(['murder:stop_tracker'])
  })

  it('does not seed a tag that is not packaged', async () => {
    await ok(['murder:create_torrent'], { MURDER_TAG: 'one' })
    const { code, output } = await project.shipit(['murder:start_seeding'], { env: { MURDER_TAG: 'two' } })
    expect(code).toBe(1)
    expect(output).toContain(
      'one is packaged, not two — run MURDER_TAG=two npx shipit staging murder:create_torrent',
    )
  })

  it('refuses a directory that is filled, and replaces what is in it only when told to', async () => {
    for (const server of servers) {
      await mkdir(target(server, 'filled'), { recursive: true })
      await writeFile(target(server, 'filled', 'old'), 'old')
    }
    const env = { MURDER_TAG: 'filled', MURDER_DESTINATION_PATH: destination() }
    await ok(['murder:seed'], env)
    const refused = await project.shipit(['murder:peer'], { env: { ...env, MURDER_OUTPUT: 'json' } })
    expect(refused.code).toBe(1)
    expect(refused.events.filter(({ event }) => event === 'failed')).toMatchObject([
      {
        server: project.name(0),
        cause: expect.stringContaining('filled is there already and was not made of this'),
      },
      { server: project.name(1) },
    ])
    expect(await readdir(target(0, 'filled'))).toEqual(['old'])
    await ok(['murder:peer'], { ...env, MURDER_UNSAFE_PLEASE_DELETE: '1' })
    for (const server of servers) {
      const found = await compareTrees(project.workspace(), target(server, 'filled'), {
        ignore: [],
        mtimes: true,
      })
      expect(found).toEqual([])
    }
  })

  it('with no_tag_directory puts files over what is there and leaves the rest', async () => {
    for (const server of servers) {
      await rm(target(server), { recursive: true, force: true })
      await mkdir(target(server, 'deep'), { recursive: true })
      await writeFile(target(server, 'mine'), 'mine')
      await writeFile(target(server, 'text'), 'old')
      await writeFile(target(server, 'deep', 'mine too'), 'mine')
    }
    const env = { MURDER_DESTINATION_PATH: destination(), MURDER_NO_TAG_DIRECTORY: 'yes' }
    await ok(['murder:seed', 'murder:peer'], env)
    for (const server of servers) {
      expect(await readFile(target(server, 'mine'), 'utf8')).toBe('mine')
      expect(await readFile(target(server, 'deep', 'mine too'), 'utf8')).toBe('mine')
      await rm(target(server, 'mine'))
      await rm(target(server, 'deep', 'mine too'))
      const found = await compareTrees(project.workspace(), target(server), { ignore: [], mtimes: false })
      expect(found).toEqual([])
    }
  })

  it('touches nothing where a link or a file is in the way of a directory', async () => {
    await rm(target(0), { recursive: true, force: true })
    await mkdir(target(0))
    await symlink(project.path(), target(0, 'deep'))
    await writeFile(target(0, 'text'), 'old')
    const env = { MURDER_DESTINATION_PATH: destination(), MURDER_NO_TAG_DIRECTORY: '1' }
    const refused = await project.shipit(['murder:seed', 'murder:peer'], {
      env: { ...env, MURDER_OUTPUT: 'json' },
    })
    expect(refused.code).toBe(1)
    expect(refused.events.filter(({ event }) => event === 'failed')).toMatchObject([
      { cause: expect.stringContaining('deep is no directory, but what was sent has one there') },
    ])
    expect(await readFile(target(0, 'text'), 'utf8')).toBe('old')
    expect((await readdir(target(0))).sort()).toEqual(['deep', 'text'])
    await rm(target(0), { recursive: true })
  })

  it('never empties a directory that holds the releases or the agent', async () => {
    await ok(['murder:seed'])
    for (const path of ['/', project.fleet.home, `${project.fleet.home}/app`]) {
      const env = {
        MURDER_DESTINATION_PATH: path,
        MURDER_NO_TAG_DIRECTORY: '1',
        MURDER_UNSAFE_PLEASE_DELETE: '1',
      }
      const { code, output } = await project.shipit(['murder:peer'], { env })
      expect(code, path).toBe(2)
      expect(output).toContain('choose a directory of its own')
    }
    const { code, output } = await project.shipit(['murder:peer'], {
      env: { MURDER_UNSAFE_PLEASE_DELETE: '1' },
    })
    expect(code).toBe(2)
    expect(output).toContain('murder.unsafePleaseDelete needs murder.destinationPath')
  })
})

describe('path_is_file', () => {
  const image = () => project.path('disk.img')
  const env = () => ({ MURDER_PATH_IS_FILE: '1', MURDER_FILES_PATH: image() })

  it('brings one file to a path, as it is, and again when it has changed', async () => {
    await writeFile(image(), Buffer.alloc(900_000, 'image'))
    await chmod(image(), 0o640)
    await utimes(image(), 1_700_000_000, 1_700_000_000)
    const to = { MURDER_DESTINATION_PATH: `${destination()}/images/current` }
    await ok(['murder:seed', 'murder:peer'], { ...env(), ...to })
    for (const server of servers) {
      const placed = target(server, 'images', 'current')
      expect((await readFile(placed)).equals(await readFile(image()))).toBe(true)
      const { mode, mtimeMs } = await stat(placed)
      expect([mode & 0o7777, mtimeMs]).toEqual([0o640, 1_700_000_000_000])
      expect(await readdir(target(server, 'images'))).toEqual(['current'])
    }
    const before = await readFile(image())
    await appendFile(image(), 'more')
    await ok(['murder:seed', 'murder:peer'], { ...env(), MURDER_DESTINATION_PATH: `${destination()}/images` })
    for (const server of servers) {
      expect((await readFile(target(server, 'images', 'disk.img'))).equals(await readFile(image()))).toBe(
        true,
      )
      expect((await readFile(target(server, 'images', 'current'))).equals(before)).toBe(true)
    }
  })

  it('brings it to another path while the first peers still share', async () => {
    const paths = ['first', 'second', 'third'].map((name) => `elsewhere/${name}`)
    await ok(['murder:seed'], env())
    for (const path of paths)
      await ok(['murder:peer'], { ...env(), MURDER_DESTINATION_PATH: `${destination()}/${path}` })
    for (const server of servers) {
      const placed = paths.map((path) => target(server, path))
      for (const path of placed) expect((await readFile(path)).equals(await readFile(image()))).toBe(true)
      const inodes = await Promise.all(placed.map(async (path) => (await stat(path)).ino))
      expect(new Set(inodes).size).toBe(3)
    }
  })

  it('says what is wrong with the paths', async () => {
    const cases: [Record<string, string>, string][] = [
      [{ MURDER_PATH_IS_FILE: '1' }, 'murder.pathIsFile is set without murder.filesPath'],
      [{ ...env(), MURDER_FILES_PATH: project.path() }, 'no file — name a file'],
      [{ MURDER_FILES_PATH: image() }, 'a file — set murder.pathIsFile too'],
      [{ MURDER_FILES_PATH: '/no/such' }, 'which does not exist'],
    ]
    for (const [wrong, words] of cases) {
      const { code, output } = await project.shipit(['murder:create_torrent'], { env: wrong })
      expect(output).toContain(words)
      expect(code).toBe(2)
    }
    await ok(['murder:seed'], env())
    const { code, output } = await project.shipit(['murder:peer'])
    expect(code).toBe(2)
    expect(output).toContain('murder.destinationPath is not set: a file needs a path')
  })
})

it('murder:peer goes to the servers that murder.peers names, and to no others', async () => {
  const env = { MURDER_PEERS: project.name(1), MURDER_TAG: 'roles', MURDER_OUTPUT: 'json' }
  const run = await project.shipit(['murder:seed', 'murder:peer'], { env })
  expect(run.code, run.output).toBe(0)
  expect(run.events.find(({ event }) => event === 'received')?.perServer).toMatchObject([
    { server: project.name(1) },
  ])
  expect(servers.map((server) => existsSync(project.on(server, 'releases', 'roles')))).toEqual([false, true])
})

describe('single names', () => {
  it('murder:download_torrent gives a torrent that any client can use', async () => {
    const seeding = await project.event('seeding', 'murder:start_seeding')
    const { path, infoHash } = await project.event('torrent', 'murder:download_torrent')
    expect(infoHash).toBe(seeding.infoHash)
    const fetched = project.path('by-hand')
    const secret = ['--secret-file', String(seeding.secretFile)]
    const args = ['peer', String(path), fetched, ...secret, '--no-linger', '--run-dir', project.path('runs')]
    const { stdout } = await execute(process.execPath, [agentFile, ...args])
    expect(stdout).toBe('Done and done\n')
    expect((await readFile(fetched)).equals(await readFile(String(seeding.path)))).toBe(true)
  })

  it('murder:download_torrent fetches it from the server that seeds', async () => {
    const env = { MURDER_SEEDER: project.name(1), MURDER_OUTPUT: 'json' }
    const run = await project.shipit(['murder:seed', 'murder:download_torrent'], { env })
    expect(run.code, run.output).toBe(0)
    const [seeding, torrent] = ['seeding', 'torrent'].map((name) =>
      run.events.find(({ event }) => event === name),
    )
    expect(torrent).toMatchObject({ infoHash: seeding?.infoHash, tracker: seeding?.tracker })
    const ended = await project.shipit(['murder:stop_all_seeding', 'murder:stop_tracker', 'murder:clean'], {
      env,
    })
    expect(ended.code, ended.output).toBe(0)
    expect(isAlive(seeding?.pid)).toBe(false)
  })

  it('murder:stop_seeding and murder:stop_peering end what the tag names, and no other', async () => {
    const { pid } = await project.event('seeding', 'murder:seed')
    await ok(['murder:peer'])
    const other = await project.shipit(['murder:stop_seeding', 'murder:stop_peering'], {
      env: { MURDER_TAG: 'other' },
    })
    expect(other.output).toContain('No seeder of other runs')
    expect(other.output).toContain('No peer runs on any server')
    expect(isAlive(pid)).toBe(true)
    const { output } = await ok(['murder:stop_all_peering', 'murder:stop_all_seeding'])
    expect(output).toContain('stopped the peer of')
    expect(isAlive(pid)).toBe(false)
  })

  it('MURDER_TEMP_PATH is where the transfer is until it is complete', async () => {
    const { output } = await ok(['murder:config'], { MURDER_TEMP_PATH: '/var/tmp/elsewhere' })
    expect(output).toMatch(/^temporaryPath +\/var\/tmp\/elsewhere +environment MURDER_TEMP_PATH$/m)
  })
})
