import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { trackerPath } from '../../src/torrent/access/secret.ts'
import { withTrackers } from '../../src/torrent/metainfo/metainfo.ts'
import { DeployLab } from '../support/harness/lab-deploy.ts'
import { clients } from '../support/harness/lab-interop.ts'
import { labAvailable } from '../support/lab/lab.ts'

/** Slow enough for others to do something meanwhile. */
const slow = { MURDER_DOWNLOAD_LIMIT: '3M' }

describe.skipIf(!labAvailable())('a deploy among bad neighbours', () => {
  let fleet: DeployLab
  let badPeer: string

  beforeAll(async () => {
    fleet = await DeployLab.of(4, { strangers: 1 })
    badPeer = join(fleet.lab.directory, 'bad-peer.cjs')
    buildSync({
      entryPoints: [join(import.meta.dirname, 'bad-peer.ts')],
      outfile: badPeer,
      bundle: true,
      platform: 'node',
      logLevel: 'error',
    })
  })
  afterAll(() => fleet?.lab.destroy())
  afterEach(() => fleet.reset())

  /** A deploy that has begun, and beside it a peer on its last server that knows its secret. */
  const deployBeside = async (manner: string, env: Record<string, string> = {}, holdMs = 0) => {
    fleet.plant(20)
    const { lab } = fleet
    const deploy = fleet.start({ ...slow, HOLD_MS: String(holdMs) })
    const { infoHash, secret } = await fleet.seeding(deploy)
    const hosts = [lab.deployHost, ...fleet.servers].map(({ address }) => address)
    const bad = lab.spawn(fleet.server(3), [process.execPath, badPeer, manner, infoHash, ...hosts], { env })
    bad.child.stdin?.end(secret)
    return { deploy, bad }
  }

  test.each(['silent', 'slow'])('a peer of the fleet that takes requests and is %s', async (manner) => {
    const { deploy, bad } = await deployBeside(manner)
    try {
      await bad.line(/^asked by /)
      expect(await fleet.end(deploy)).toMatchObject({ code: 0 })
    } finally {
      bad.kill('SIGKILL')
    }
    expect(new Set(bad.stdout.match(/^asked by .*/gm)).size).toBeGreaterThan(1)
    expect(fleet.upToDate()).toHaveLength(4)
    expect(await fleet.quiet()).toEqual([])
  })

  test.each([
    ['rejects', 'at the same time as', 0],
    ['hangs up', 'at the same time as', 0],
    ['hangs up', 'before', 1500],
  ] as const)(
    'a server that sends wrong bytes under many names and %s, begun %s the peers',
    async (manner, _, holdMs) => {
      const { deploy, bad } = await deployBeside(manner, {}, holdMs)
      try {
        await bad.line(/^asked by /)
        const { code, text } = await fleet.end(deploy)
        expect(code).toBe(0)
        expect(text).toMatch(new RegExp(`^banned +${fleet.label(3)} \\([\\d.]+\\): sent wrong bytes$`, 'm'))
      } finally {
        bad.kill('SIGKILL')
      }
      expect(fleet.upToDate()).toHaveLength(4)
      expect(await fleet.quiet()).toEqual([])
    },
  )

  test('a server that tells peers and the tracker of an address outside: nobody dials it', async () => {
    const [stranger] = fleet.strangers
    if (!stranger) throw new Error('there is no stranger')
    const listen = `require('net').createServer((s) => console.log('dialled by', s.remoteAddress)).listen(6881, () => console.log('listens'))`
    const outside = stranger.spawn([process.execPath, '-e', listen])
    await outside.line(/^listens/)
    const { deploy, bad } = await deployBeside('tells', { OUTSIDE: stranger.address })
    try {
      await bad.line(/^tracker: .*not one of this fleet/)
      await bad.line(/^told /)
      expect(await fleet.end(deploy)).toMatchObject({ code: 0 })
    } finally {
      bad.kill('SIGKILL')
      outside.kill('SIGKILL')
    }
    expect(outside.stdout).not.toContain('dialled')
    expect(fleet.upToDate()).toHaveLength(4)
    expect(await fleet.quiet()).toEqual([])
  })

  /** Whether any file of a client holds anything: those of no content are empty, or holes. */
  const hasContent = (directory: string) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.(aria2|torrent)$/.test(entry.name))
      .some((entry) => readFileSync(join(entry.parentPath, entry.name)).some((byte) => byte !== 0))

  test.each([
    { allowed: false, get: 'nothing' },
    { allowed: true, get: 'the content, which is allowed' },
  ])('other clients with its torrent file get $get', async ({ allowed }) => {
    fleet.plant(10)
    const { lab, project } = fleet
    const deploy = fleet.start({ MURDER_DOWNLOAD_LIMIT: '1M', MURDER_ALLOW_STRANGERS: String(allowed) })
    const { torrent, secret } = await fleet.seeding(deploy)
    // The right key may have been seen on the way: it is not the secret, nor does it help to find that.
    const keys = ['', `/${trackerPath('another secret')}`, ...(secret ? [`/${trackerPath(secret)}`] : [])]
    const trackers = keys.map((key) => `http://${lab.deployHost.address}:8998${key}/announce`)
    const file = join(project.directory, 'stolen.torrent')
    writeFileSync(file, withTrackers(readFileSync(torrent), trackers))
    const started = [fleet.server(0), ...fleet.strangers].flatMap((host) =>
      (['aria2', 'libtorrent', 'transmission'] as const).map((client) => {
        const directory = `/srv/${client}`
        mkdirSync(host.outside(directory), { recursive: true })
        const more = client === 'libtorrent' ? lab.hosts.map(({ address }) => address) : []
        const program = host.spawn([...clients[client]('peer', file, `${directory}/package`), ...more])
        return { name: `${client} on ${host.name}`, program, directory: host.outside(directory) }
      }),
    )
    const deployed = await fleet.end(deploy)
    for (const { program } of started) program.kill('SIGKILL')
    await Promise.all(started.map(({ program }) => program.ended))
    expect(deployed).toMatchObject({ code: 0 })
    const lucky = started.filter(({ directory }) => hasContent(directory)).map(({ name }) => name)
    for (const { directory } of started) rmSync(directory, { recursive: true })
    if (allowed) expect(lucky).toContain('libtorrent on server5')
    else expect(lucky).toEqual([])
    expect(fleet.upToDate()).toHaveLength(4)
    expect(await fleet.quiet()).toEqual([])
  })
})
