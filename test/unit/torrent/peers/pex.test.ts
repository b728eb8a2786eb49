import { EventEmitter } from 'node:events'
import bencode from 'bencode'
import { describe, expect, it } from 'vitest'
import { dialFilter } from '../../../../src/torrent/access/dial-filter.ts'
import { decodeCompact, encodeCompact } from '../../../../src/torrent/encoding/compact.ts'
import type { Connection } from '../../../../src/torrent/peers/connection.ts'
import { guessAddresses, PeerExchange } from '../../../../src/torrent/peers/pex.ts'
import { PEX_EXTENSION } from '../../../../src/torrent/wire/extensions.ts'

let nextId = 1

/** A neighbour at an address; `told` is what it has been told. */
function neighbour(address: string, { agent = true } = {}) {
  const wire = Object.assign(new EventEmitter(), {
    isAgent: agent,
    peerExtendedMapping: { [PEX_EXTENSION]: 7 },
    extended: (_name: string, content: Uint8Array) => {
      const { added, added6 } = bencode.decode(content) as Record<string, Uint8Array>
      told.push([...decodeCompact(added as Uint8Array, 4), ...decodeCompact(added6 as Uint8Array, 6)])
    },
  })
  const told: string[][] = []
  const remoteHost = address.replace(/:\d+$/, '').replace(/[[\]]/g, '')
  const connection = { id: nextId++, wire, address, remoteHost } as unknown as Connection
  const says = (...addresses: string[]) => {
    const content = { added: encodeCompact(addresses, 4), added6: encodeCompact(addresses, 6) }
    wire.emit('extended', PEX_EXTENSION, bencode.encode(content))
  }
  return { connection, wire, told, says }
}

function exchange(hosts?: string[], mayMeet = (_one: Connection, _other: Connection) => true) {
  const clock = { now: 100 }
  const learnt: string[] = []
  const pex = new PeerExchange(
    (addresses) => void learnt.push(...addresses),
    () => clock.now,
    dialFilter(() => hosts),
    mayMeet,
  )
  const meet = (address: string, o?: { agent: boolean }) => {
    const one = neighbour(address, o)
    pex.join(one.connection)
    return one
  }
  return { pex, clock, learnt, meet }
}

describe('compact addresses', () => {
  it('are the same after there and back, IPv6 in its short form', () => {
    const four = ['10.0.0.1:6881', '255.0.1.2:65535']
    const six = ['[fd00::1]:6881', '[2001:db8:1:2:3:4:5:6]:1', '[::1]:9']
    expect(decodeCompact(encodeCompact([...four, ...six, 'name:1'], 4), 4)).toEqual(four)
    expect(decodeCompact(encodeCompact([...four, ...six], 6), 6)).toEqual(six)
    expect(encodeCompact(['[fd00:0:0::1]:6881'], 6)).toHaveLength(18)
  })
})

describe('sending', () => {
  it('sends a newcomer all addresses at once, and the others its address a second later, each once', () => {
    const { pex, clock, meet } = exchange()
    const a = meet('10.0.0.1:6881')
    const b = meet('[fd00::2]:6882')
    expect(a.told).toEqual([])
    expect(b.told).toEqual([['10.0.0.1:6881']])
    for (let second = 0; second < 5; second++) {
      clock.now++
      pex.tick()
    }
    expect(a.told).toEqual([['[fd00::2]:6882']])
    expect(b.told).toHaveLength(1)
  })

  it('sends nothing to other clients, and not their addresses', () => {
    const { meet, learnt } = exchange()
    const other = meet('10.0.0.1:6881', { agent: false })
    const agent = meet('10.0.0.2:6881')
    meet('10.0.0.3:6881')
    expect(other.told).toEqual([])
    expect(agent.told.flat()).not.toContain('10.0.0.1:6881')
    other.says('10.0.0.9:6881')
    expect(learnt).toEqual([])
  })

  it('sends the rest a second later', () => {
    const { pex, clock, meet } = exchange()
    for (let index = 0; index < 52; index++) meet(`10.0.1.${index}:6881`)
    const last = meet('10.0.0.1:6881')
    for (let second = 0; second < 3; second++) {
      clock.now++
      pex.tick()
    }
    expect(last.told.map((each) => each.length)).toEqual([50, 2])
  })

  it('is bounded: fifty at once, and each address to each once however often it comes back', () => {
    const { pex, clock, meet } = exchange()
    const all = Array.from({ length: 64 }, (_, index) => meet(`10.0.1.${index}:6881`))
    const last = meet('10.0.0.1:6881')
    expect(last.told.map((each) => each.length)).toEqual([50])
    for (let second = 0; second < 300; second++) {
      clock.now++
      pex.tick()
      const one = all[second % all.length]
      if (one) pex.leave(one.connection)
      if (one) pex.join(one.connection)
    }
    expect(last.told.flat()).toHaveLength(64)
  })

  it('sends no address outside of the fleet, where that is known', () => {
    const { meet } = exchange(['10.0.0.0/24'])
    meet('192.0.2.1:6881')
    meet('10.0.0.1:6881')
    expect(meet('10.0.0.2:6881').told.flat()).toEqual(['10.0.0.1:6881'])
  })

  it('sends a neighbour no address of one that it should not meet', () => {
    const isOdd = ({ address = '' }: Connection) => Number(address.slice(-1)) % 2
    const { pex, clock, meet } = exchange(undefined, (one, other) => isOdd(one) === isOdd(other))
    const all = [1, 2, 3, 4].map((number) => meet(`10.0.0.1:${number}`))
    clock.now++
    pex.tick()
    const told = ['10.0.0.1:3', '10.0.0.1:4', '10.0.0.1:1', '10.0.0.1:2']
    expect(all.map((one) => one.told)).toEqual(told.map((address) => [[address]]))
  })

  it('sends loopback addresses only on this machine', () => {
    const { meet } = exchange()
    meet('127.0.0.1:6881')
    expect(meet('10.0.0.1:6881').told).toEqual([])
    expect(meet('127.0.0.2:6881').told.flat()).toContain('127.0.0.1:6881')
  })
})

describe('receiving', () => {
  it('uses only addresses of the fleet, where they are known', () => {
    const { learnt, meet } = exchange(['10.0.0.1', 'fd00:0::2', 'not an address'])
    meet('10.0.0.1:6881').says('10.0.0.1:7', '10.0.0.3:6881', '[fd00::2]:8', '[fd00::3]:8', '127.0.0.1:22')
    expect(learnt).toEqual(['10.0.0.1:7', '[fd00::2]:8'])
  })

  it('ignores a neighbour that sends too much', () => {
    const { learnt, meet } = exchange()
    const one = meet('10.0.0.1:6881')
    for (let round = 0; round < 100; round++) {
      one.says(...Array.from({ length: 1000 }, (_, index) => `10.1.${round}.${index % 256}:6881`))
    }
    expect(learnt.length).toBeLessThanOrEqual(200)
    const other = meet('10.0.0.2:6881')
    for (let round = 0; round < 100; round++) other.says(`10.2.0.${round}:6881`)
    expect(learnt.length).toBeLessThanOrEqual(210)
  })

  it.each([[''], ['d5:added3:abce'], ['d5:addedi7ee'], ['l'.repeat(100_000)], ['d5:added6:\0\0\0\0\0\0e']])(
    'takes no harm from %s',
    (text) => {
      const { learnt, meet } = exchange()
      meet('10.0.0.1:6881').wire.emit('extended', PEX_EXTENSION, Buffer.from(text))
      expect(learnt).toEqual([])
    },
  )
})

it('a few of a large fleet are guessed, and none where the system chooses ports', () => {
  const hosts = Array.from({ length: 1000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
  const guesses = guessAddresses(['10.0.0.0/8', 'fd00::1', ...hosts], 6881, () => 0)
  expect(guesses).toHaveLength(16)
  expect(guesses[0]).toBe('[fd00::1]:6881')
  expect(guessAddresses(hosts, 0, Math.random)).toEqual([])
})
