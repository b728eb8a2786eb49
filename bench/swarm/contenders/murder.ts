import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentEvent } from '../../../src/protocol/events.ts'
import type { LabHost } from '../../../test/support/lab/host.ts'
import type { LabProcess } from '../../../test/support/lab/process.ts'
import type { Race } from '../race.ts'
import type { Contender } from './contender.ts'
import { startPeers, TRACKER_PORT } from './torrent.ts'

const agent = join(process.cwd(), 'dist', 'murder.mjs')

/** This project's agent as it is built, by its command line. */
export const murder: Contender = {
  what: "this project's agent",
  async setUp() {
    if (!existsSync(agent)) throw new Error(`${agent} is missing: run npm run build`)
  },
  async run(race) {
    const torrent = join(race.lab.directory, 'content.torrent')
    const tracker = `${race.seeder.address}:${TRACKER_PORT}`
    const pieces = race.pieceLength ? ['--piece-length', String(race.pieceLength)] : []
    await race.lab.exec('deploy', [
      process.execPath,
      agent,
      'make-torrent',
      race.content.file,
      tracker,
      torrent,
      ...pieces,
    ])
    const start = (role: 'tracker' | 'seeder' | 'peer', host: LabHost, ...args: string[]) =>
      race.spawn(role, host, [process.execPath, agent, ...args, '--foreground', '--json'])
    const siteOf = (host: LabHost) => {
      const site = race.siteOf(host)
      return site === undefined ? [] : ['--site', site]
    }

    await start('tracker', race.seeder, 'tracker', '--port', String(TRACKER_PORT)).line(/"event":"listening"/)
    const fleet = ['--fleet', String(race.servers.length), ...siteOf(race.seeder)]
    await start('seeder', race.seeder, 'seed', torrent, race.content.file, ...fleet).line(
      /"event":"listening"/,
    )
    await startPeers(race, /"event":"done"/, (server) => {
      const peer = start('peer', server, 'peer', torrent, race.target, ...siteOf(server))
      noteReceived(race, server, peer)
      return peer
    })
  },
}

function noteReceived(race: Race, server: LabHost, peer: LabProcess): void {
  peer.onLine((line) => {
    if (!line.startsWith('{')) return
    const event = JSON.parse(line) as AgentEvent
    if (event.event === 'downloaded') race.received[server.name] = event.received
  })
}
