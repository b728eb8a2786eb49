import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../../src/torrent/peers/connection.ts'
import { Neighbours } from '../../../../src/torrent/peers/neighbours.ts'
import { Scheduler } from '../../../../src/torrent/scheduler/scheduler.ts'
import type { SwarmContext } from '../../../../src/torrent/swarm-context.ts'

/** A participant of a site with a neighbour there and one elsewhere. */
function participant(local: { isSeeder?: boolean; rank?: number } = {}) {
  const clock = { nowS: 100 }
  const scheduler = new Scheduler({ length: 10, pieceLength: 1, random: () => 0 })
  const connections = new Map<number, Connection>()
  const context = { options: {}, local, scheduler, connections, nowS: () => clock.nowS }
  const neighbours = new Neighbours(context as unknown as SwarmContext, {} as never, {} as never)
  const closed: string[] = []
  const meet = (id: number, site: string | undefined, isNear: boolean) => {
    const connection = { id, site, close: () => connections.delete(id) && closed.push(`${site}`) }
    connections.set(id, connection as unknown as Connection)
    scheduler.join(id, 1, clock.nowS)
    scheduler.locate(id, { isNear, site, key: String(id) })
    neighbours.refuseFar(id)
    return connection as unknown as Connection
  }
  const near = meet(1, 'here', true)
  const far = meet(2, 'elsewhere', false)
  return { clock, scheduler, neighbours, closed, meet, near, far }
}

describe('a member that a tracker guides', () => {
  it('closes its connections to other sites, also those that come later', () => {
    const { neighbours, closed, meet } = participant()
    expect(closed).toEqual([])
    neighbours.guide([])
    expect(closed).toEqual(['elsewhere'])
    meet(3, 'beyond', false)
    meet(4, 'here', true)
    meet(5, undefined, true)
    expect(closed).toEqual(['elsewhere', 'beyond'])
  })

  it('keeps those it gets after five seconds without content, until there is some again', () => {
    const { clock, scheduler, neighbours, closed, meet } = participant()
    neighbours.guide([])
    clock.nowS += 5
    meet(3, 'too soon', false)
    clock.nowS += 1
    meet(4, 'needed', false)
    expect(closed).toEqual(['elsewhere', 'too soon'])
    scheduler.alreadyHave(0)
    neighbours.guide([])
    expect(closed).toEqual(['elsewhere', 'too soon', 'needed'])
  })

  it('keeps none when it has everything', () => {
    const { clock, scheduler, neighbours, closed, meet } = participant()
    neighbours.guide([])
    for (let piece = 0; piece < 10; piece++) scheduler.alreadyHave(piece)
    clock.nowS += 60
    meet(3, 'beyond', false)
    clock.nowS += 60
    meet(4, 'far beyond', false)
    expect(closed).toEqual(['elsewhere', 'beyond', 'far beyond'])
  })
})

it.each([
  ['leaders', { rank: 0 }],
  ['seeders', { isSeeder: true }],
])('%s keep their connections to other sites', (_, local) => {
  const { neighbours, closed, meet } = participant(local)
  neighbours.guide([])
  meet(3, 'beyond', false)
  expect(closed).toEqual([])
})

it('where a tracker guides, neighbours of different sites do not hear of each other', () => {
  const { neighbours, meet, near, far } = participant({ rank: 0 })
  const unnamed = meet(3, undefined, true)
  expect(neighbours.mayMeet(near, far)).toBe(true)
  neighbours.guide([])
  expect(neighbours.mayMeet(near, far)).toBe(false)
  expect(neighbours.mayMeet(near, meet(4, 'here', true))).toBe(true)
  expect(neighbours.mayMeet(far, meet(5, 'elsewhere', false))).toBe(true)
  expect(neighbours.mayMeet(far, unnamed)).toBe(true)
})
