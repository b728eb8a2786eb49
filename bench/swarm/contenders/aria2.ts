import { chmod, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Contender } from './contender.ts'
import { need, startPeers, torrentAndTracker } from './torrent.ts'

const common = [
  '--enable-dht=false',
  '--enable-peer-exchange=false',
  '--bt-enable-lpd=false',
  '--bt-max-peers=0',
  '--bt-request-peer-speed-limit=1000M',
  '--bt-tracker-interval=2',
  '--file-allocation=none',
  '--seed-ratio=0',
  '--listen-port=6881',
  '--summary-interval=0',
  '--show-console-readout=false',
  '--console-log-level=notice',
]

export const aria2: Contender = {
  what: 'aria2',
  async setUp() {
    await need('aria2c', 'aria2')
    await need('mktorrent', 'mktorrent')
  },
  async run(race) {
    const torrent = await torrentAndTracker(race)
    const hook = join(race.lab.directory, 'aria2-complete')
    await writeFile(hook, '#!/bin/sh\necho complete\n')
    await chmod(hook, 0o755)
    const directory = dirname(race.content.file)
    const seed = ['aria2c', ...common, '--bt-seed-unverified=true', `--dir=${directory}`, torrent]
    await race
      .spawn('seeder', race.seeder, seed)
      .line(/Seeding|seeding|listening on TCP port|Download complete/i)
    await startPeers(race, /^complete$/, (server) => {
      const get = [
        'aria2c',
        ...common,
        `--on-bt-download-complete=${hook}`,
        `--dir=${dirname(race.target)}`,
        torrent,
      ]
      return race.spawn('peer', server, get)
    })
  },
}
