import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Race } from '../race.ts'
import type { Contender } from './contender.ts'
import { need, startPeers, torrentAndTracker } from './torrent.ts'

/** Debian's own: the bindings are built for this one. */
const PYTHON = '/usr/bin/python3'
const script = join(process.cwd(), 'bench', 'swarm', 'libtorrent_peer.py')

async function setUp(): Promise<void> {
  await need('mktorrent', 'mktorrent')
  await promisify(execFile)(PYTHON, ['-c', 'import libtorrent']).catch(() => {
    throw new Error(`${PYTHON} has no libtorrent: apt-get install python3-libtorrent`)
  })
}

async function run(race: Race, mode: 'seed' | 'super-seed'): Promise<void> {
  const torrent = await torrentAndTracker(race)
  const seeder = [PYTHON, script, mode, torrent, dirname(race.content.file)]
  await race.spawn('seeder', race.seeder, seeder).line(/^seeding/)
  await startPeers(race, /^done/, (server) =>
    race.spawn('peer', server, [PYTHON, script, 'peer', torrent, dirname(race.target)]),
  )
}

export const libtorrent: Contender = {
  what: 'libtorrent-rasterbar, set for a trusted fleet',
  setUp,
  run: (race) => run(race, 'seed'),
}

export const libtorrentSuper: Contender = {
  what: 'libtorrent-rasterbar with super-seeding',
  setUp,
  run: (race) => run(race, 'super-seed'),
}
