import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseMetainfo } from '../../../src/torrent/metainfo/metainfo.ts'
import type { LabHost } from '../lab/host.ts'
import { Lab } from '../lab/lab.ts'
import type { LabProcess } from '../lab/process.ts'

export type Role = 'seed' | 'peer'
export type ClientName = keyof typeof clients

const agent = join(process.cwd(), 'dist', 'murder.mjs')
const murder = (...args: string[]) => [process.execPath, agent, ...args, '--foreground']
const libtorrentScript = join(import.meta.dirname, 'libtorrent_client.py')
const libtorrent = (role: string, torrent: string, directory: string) => [
  '/usr/bin/python3',
  libtorrentScript,
  role,
  torrent,
  directory,
]

const webtorrentScript = join(import.meta.dirname, '..', 'webtorrent-client.mjs')
const aria2 = (torrent: string, path: string, ...more: string[]) => [
  'aria2c',
  '--enable-dht=false',
  '--summary-interval=0',
  ...more,
  `--dir=${dirname(path)}`,
  torrent,
]

/** All that such a client knows of the torrent: its infohash and its tracker (BEP 9). */
function magnetOf(torrent: string): string {
  const { infoHash, trackers } = parseMetainfo(readFileSync(torrent))
  return `magnet:?xt=urn:btih:${infoHash}${trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('')}`
}

/**
 * How each client is started, with the settings that it comes with: the torrent, the directory that the content is or
 * will be in, and the content's path. What is set keeps them from ending by themselves or from looking for the internet.
 */
export const clients = {
  murder: (role: Role, torrent: string, path: string) =>
    murder(role, torrent, path, ...(role === 'peer' ? ['--linger', '10m', '--stall-timeout', '10m'] : [])),
  libtorrent: (role: Role, torrent: string, path: string) => libtorrent(role, torrent, dirname(path)),
  'libtorrent-super': (_: Role, torrent: string, path: string) =>
    libtorrent('super-seed', torrent, dirname(path)),
  aria2: (role: Role, torrent: string, path: string) =>
    aria2(torrent, path, '--seed-ratio=0', ...(role === 'seed' ? ['--check-integrity'] : [])),
  'libtorrent-magnet': (_: Role, torrent: string, path: string) =>
    libtorrent('peer', magnetOf(torrent), dirname(path)),
  'aria2-magnet': (_: Role, torrent: string, path: string) =>
    aria2(magnetOf(torrent), path, '--seed-ratio=0'),
  /** Only the last file of the torrent, and no waiting for others. */
  'aria2-one-file': (_: Role, torrent: string, path: string) =>
    aria2(torrent, path, '--seed-time=0', '--select-file=3'),
  transmission: (_: Role, torrent: string, path: string) => [
    'transmission-cli',
    '--no-portmap',
    '--config-dir=/tmp/transmission',
    `--download-dir=${dirname(path)}`,
    torrent,
  ],
  /** It needs a terminal. */
  rtorrent: (_: Role, torrent: string, path: string) => [
    'script',
    '-qfec',
    `TERM=xterm rtorrent -n -o directory.default.set=${dirname(path)},dht.mode.set=disable ${torrent}`,
    '/dev/null',
  ],
  webtorrent: (role: Role, torrent: string, path: string) => [
    process.execPath,
    webtorrentScript,
    role,
    torrent,
    dirname(path),
  ],
} satisfies Record<string, (role: Role, torrent: string, path: string) => string[]>

/** A lab with a tracker of ours on its deploy host, and content with a torrent of ours for it. */
export class Interop {
  readonly lab: Lab
  readonly torrent: string
  private readonly files: Map<string, Buffer>
  private readonly name = 'content'

  /** `files`: length of each by its path below the content; of one file the path is empty. */
  static async of(files: Record<string, number>, servers: number): Promise<Interop> {
    const lab = await Lab.create({ hosts: servers, deployHost: true, rate: 100e6 })
    const contents = new Map(Object.entries(files).map(([path, length]) => [path, randomBytes(length)]))
    const interop = new Interop(lab, contents)
    await interop.place(lab.deployHost)
    const tracker = lab.spawn('deploy', murder('tracker', '--json'))
    await tracker.line(/"event":"listening"/)
    const made = [
      'make-torrent',
      '--signature', // Other clients ignore it.
      '--no-attributes',
      interop.path,
      `${lab.deployHost.address}:8998`,
      interop.torrent,
    ]
    await lab.exec('deploy', [process.execPath, agent, ...made])
    return interop
  }

  private constructor(lab: Lab, files: Map<string, Buffer>) {
    this.lab = lab
    this.files = files
    this.torrent = join(lab.directory, 'content.torrent')
  }

  /** Where the content is on every host. */
  get path(): string {
    return join('/srv/data', this.name)
  }

  /** Starts a client on a host, to seed what `place` put there or to download. */
  start(client: ClientName, role: Role, host: LabHost): LabProcess {
    return host.spawn(clients[client](role, this.torrent, this.path))
  }

  async seed(client: ClientName, host: LabHost): Promise<LabProcess> {
    await this.place(host)
    return this.start(client, 'seed', host)
  }

  async peer(client: ClientName, host: LabHost): Promise<LabProcess> {
    await mkdir(host.outside(dirname(this.path)), { recursive: true })
    return this.start(client, 'peer', host)
  }

  /** Resolves when the host's content, or what of it `paths` names, is byte for byte the seeder's. */
  async whole(
    host: LabHost,
    process: LabProcess,
    paths = [...this.files.keys()],
    seconds = 90,
  ): Promise<void> {
    const deadline = Date.now() + seconds * 1000
    while (!(await this.isWhole(host, paths))) {
      if (Date.now() > deadline) throw new Error(`${host.name} is not complete\n${process.tail()}`)
      await setTimeout(100)
    }
  }

  private async place(host: LabHost): Promise<void> {
    for (const [path, content] of this.files) {
      const file = host.outside(join(this.path, path))
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    }
  }

  private async isWhole(host: LabHost, paths: string[]): Promise<boolean> {
    for (const path of paths) {
      const file = host.outside(join(this.path, path))
      // transmission makes no file for no bytes.
      const there = existsSync(file) ? await readFile(file) : Buffer.alloc(0)
      if (!this.files.get(path)?.equals(there)) return false
    }
    return true
  }
}
