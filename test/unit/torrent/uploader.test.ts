import { expect, it } from 'vitest'
import type { Connection } from '../../../src/torrent/peers/connection.ts'
import { PieceSet } from '../../../src/torrent/scheduler/piece-set.ts'
import type { SwarmContext } from '../../../src/torrent/swarm-context.ts'
import { Uploader } from '../../../src/torrent/uploader.ts'

const PIECE_COUNT = 40
const PIECE_BYTES = 32 * 1024

/** A seeder, and agents that get at once what they are shown. `said` is what each has been told. */
function seederOf(...ids: number[]) {
  let now = 0
  const said = new Map<number, string[]>(ids.map((id) => [id, []]))
  const connections = new Map<number, Connection>()
  const scheduler = {
    pieceCount: PIECE_COUNT,
    have: new PieceSet(PIECE_COUNT).fill(),
    pieceLength: () => PIECE_BYTES,
    peerIsFull: () => false,
  }
  const context = {
    scheduler,
    connections,
    local: { isSeeder: true },
    metainfo: { length: PIECE_COUNT * PIECE_BYTES, pieceLength: PIECE_BYTES },
    meter: { sent: () => {} },
    nowS: () => now,
  } as unknown as SwarmContext
  const options = { read: () => Promise.reject(new Error('nothing is read')), superSeeds: true }
  const uploader = new Uploader(context, { ...options, limit: {} as never })
  const taken: [id: number, piece: number][] = []
  for (const id of ids) {
    const say = (what: string) => said.get(id)?.push(what)
    const wire = {
      hasFast: true,
      haveAll: () => say('all'),
      haveNone: () => say('none'),
      unchoke: () => say('unchoke'),
      have: (piece: number) => {
        say('have')
        taken.push([id, piece])
      },
    }
    const host = { localHost: '10.0.0.1', remoteHost: `10.0.0.${id + 1}`, hasAgentId: true }
    const connection = { id, wire, ...host, uploads: { pump: () => {} } } as unknown as Connection
    connections.set(id, connection)
    uploader.join(connection)
  }
  const step = () => {
    now += 0.05
    uploader.tick()
    for (const [id, piece] of taken.splice(0)) {
      uploader.sent(id, { piece, offset: 0, length: PIECE_BYTES })
      uploader.peerHas(connections.get(id) as Connection, [piece])
    }
  }
  return { uploader, said, step }
}

it('tells each agent of all pieces in one message once each has left', () => {
  const { uploader, said, step } = seederOf(1, 2)
  for (let steps = 0; steps < 200 && !uploader.showsAll; steps++) step()
  expect(uploader.showsAll).toBe(true)
  const count = (id: number, what: string) => said.get(id)?.filter((word) => word === what).length
  expect([count(1, 'all'), count(2, 'all')]).toEqual([1, 1])
  expect((count(1, 'have') ?? 0) + (count(2, 'have') ?? 0)).toBe(PIECE_COUNT)
})
