import { execFile } from 'node:child_process'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { say } from '../../shared/program.ts'
import type { Contender } from './contender.ts'
import { need, startPeers, torrentAndTracker } from './torrent.ts'

const run = promisify(execFile)
const version = '3.0.21'
const directory = join(
  process.cwd(),
  'node_modules',
  '.cache',
  'shipit-murder-bench',
  `webtorrent-${version}`,
)
const script = join(directory, 'peer.mjs')

/** Neither of WebTorrent's two troublesome dependencies matters here: one blocks npm, the other builds native code. */
const packageFile = {
  private: true,
  type: 'module',
  dependencies: { webtorrent: version },
  overrides: { 'ip-set': '2.2.0', 'webrtc-polyfill': 'file:./webrtc-stub' },
}
const stub = ['RTCPeerConnection', 'RTCSessionDescription', 'RTCIceCandidate']

/** WebTorrent as published, choosing pieces itself. */
export const webtorrent: Contender = {
  what: `WebTorrent ${version}`,
  async setUp() {
    await need('mktorrent', 'mktorrent')
    await mkdir(join(directory, 'webrtc-stub'), { recursive: true })
    await copyFile(join(process.cwd(), 'bench', 'swarm', 'webtorrent-peer.mjs'), script)
    const installed = await run(process.execPath, [script], { cwd: directory }).then(
      () => true,
      () => false,
    )
    if (installed) return
    say(`installing WebTorrent ${version} into ${directory}`)
    await writeFile(join(directory, 'package.json'), JSON.stringify(packageFile))
    const stubPackage = { name: 'webrtc-polyfill', version: '1.1.10', type: 'module', exports: './index.js' }
    await writeFile(join(directory, 'webrtc-stub', 'package.json'), JSON.stringify(stubPackage))
    const classes = stub.map((name) => `export class ${name} {}\n`).join('')
    await writeFile(join(directory, 'webrtc-stub', 'index.js'), classes)
    await run('npm', ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'], {
      cwd: directory,
    })
    await run(process.execPath, [script], { cwd: directory })
  },
  async run(race) {
    const torrent = await torrentAndTracker(race)
    const argv = [process.execPath, script]
    const seeder = [...argv, 'seed', torrent, dirname(race.content.file)]
    await race.spawn('seeder', race.seeder, seeder).line(/^seeding/)
    await startPeers(race, /^done/, (server) =>
      race.spawn('peer', server, [...argv, 'peer', torrent, dirname(race.target)]),
    )
  },
}
