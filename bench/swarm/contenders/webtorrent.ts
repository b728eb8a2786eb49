import { dirname, join } from 'node:path'
import type { Contender } from './contender.ts'
import { need, startPeers, torrentAndTracker } from './torrent.ts'

const script = join(process.cwd(), 'test', 'support', 'webtorrent-client.mjs')

/** With `alwaysChokeSeeders`, its default, peers that start together choke each other. */
const options = { strategy: 'rarest', uploads: 100, alwaysChokeSeeders: false, maxConns: 200, secure: 0 }

/** WebTorrent as published, choosing pieces itself. */
export const webtorrent: Contender = {
  what: 'WebTorrent, set for a trusted fleet',
  setUp: () => need('mktorrent', 'mktorrent'),
  async run(race) {
    const torrent = await torrentAndTracker(race)
    const argv = (role: string, file: string) => [
      process.execPath,
      script,
      role,
      torrent,
      dirname(file),
      JSON.stringify(options),
    ]
    await race.spawn('seeder', race.seeder, argv('seed', race.content.file)).line(/^seeding/)
    await startPeers(race, /^done/, (server) => race.spawn('peer', server, argv('peer', race.target)))
  },
}
