import { describe, expect, test } from 'vitest'
import type { ServerTransfer, TransferFacts } from '../../../../src/deploy/last-server/server-transfer.ts'
import { lastServer, lateServers } from '../../../../src/deploy/last-server/why-late.ts'
import type { PieceArrival } from '../../../../src/protocol/packed-pieces.ts'

const usual: TransferFacts = {
  cpuS: 1,
  queuedS: 0.1,
  diskS: 0.1,
  stoppedS: 0,
  peakDown: 6_250_000,
  peakUp: 6_000_000,
  afterGap: 0.01,
  sentAgain: 0.001,
  arrived: 10_500_000,
}

type Changes = Partial<Omit<ServerTransfer, 'transfer'>> & { transfer?: Partial<TransferFacts> }

function server(name: string, { transfer, ...changes }: Changes = {}): ServerTransfer {
  return {
    server: name,
    startedS: 0.1,
    completeS: 5,
    doneS: 5.2,
    received: 10_000_000,
    transfer: { ...usual, ...transfer },
    unpack: { cpuS: 0.1, queuedS: 0 },
    clockErrorS: 0.01,
    pieces: [],
    pieceErrorS: 0.1,
    ...changes,
  }
}

/** Three that are alike, and this one. */
const fleet = (changes: Changes): ServerTransfer[] => [
  server('web1'),
  server('web2', { completeS: 4.9, doneS: 5.1 }),
  server('web3', { completeS: 5.1, doneS: 5.3 }),
  server('web4', changes),
]

/** Its transfer took five seconds longer. */
const slow = { completeS: 10, doneS: 10.2 }
/** It had the release five seconds after its content. */
const unpacksSlowly = { doneS: 10.2 }
const from = (source: string, count: number): PieceArrival[] =>
  Array.from({ length: count }, (_, piece) => ({ piece, source, atS: 6 + piece / 10 }))

describe('why a server was late', () => {
  test.each<[string, Changes, cause: string, text: string]>([
    ['late start', { startedS: 5.1, ...slow }, 'start', 'it began 5 s later than others'],
    [
      'slow link',
      { ...slow, transfer: { peakDown: 3_000_000 } },
      'link',
      'its downlink carried 24 Mbit/s, others 50',
    ],
    [
      'other traffic on its link',
      { ...slow, transfer: { arrived: 40_000_000, afterGap: 0.06 } },
      'link',
      'its downlink is shared: 26.7 MiB of other traffic came meanwhile',
    ],
    [
      'too little of it',
      { ...slow, transfer: { arrived: 20_000_000, peakDown: 3_000_000 } },
      'link',
      'its downlink carried 24 Mbit/s, others 50',
    ],
    [
      'lost packets',
      { ...slow, transfer: { afterGap: 0.2 } },
      'loss',
      'its link is crowded or loses packets: 20% of its packets came out of order or again, others 1.0%',
    ],
    [
      'a slow link whose queue overflows',
      { ...slow, transfer: { peakDown: 3_000_000, afterGap: 0.15 } },
      'link',
      'its downlink carried 24 Mbit/s, others 50',
    ],
    [
      'so many lost packets that it is slow',
      { ...slow, transfer: { peakDown: 3_000_000, afterGap: 0.5 } },
      'loss',
      'its link loses packets: 50% of its packets came out of order or again, others 1.0%',
    ],
    [
      'what it sends is lost',
      { ...slow, transfer: { sentAgain: 0.08 } },
      'loss',
      'its link is crowded or loses packets: 8.0% of its packets came out of order or again, others 1.0%',
    ],
    [
      'far, with a full queue on the way',
      { ...slow, clockErrorS: 0.2, transfer: { afterGap: 0.37 } },
      'far',
      'it is far away: 0.20 s there and back, others 0.01 s, and 37% of its packets came out of order or again, others 1.0%',
    ],
    ['far', { ...slow, clockErrorS: 0.2 }, 'far', 'it is far away: 0.20 s there and back, others 0.01 s'],
    [
      'a little farther',
      { ...slow, clockErrorS: 0.05, transfer: { afterGap: 0.5 } },
      'loss',
      'its link loses packets: 50% of its packets came out of order or again, others 1.0%',
    ],
    ['slow disk', { ...slow, transfer: { diskS: 4 } }, 'disk', 'it waited 4 s for its disk, others 0.10 s'],
    ['no CPU', { ...slow, transfer: { queuedS: 3.5 } }, 'cpu', 'it waited 3.5 s for a CPU, others 0.10 s'],
    ['slow CPU', { ...slow, transfer: { cpuS: 5.5 } }, 'cpu', 'its CPU worked 5.6 s on it, others 1.1 s'],
    ['stopped', { ...slow, transfer: { stoppedS: 4 } }, 'stopped', 'it stood still for 4 s, others 0 s'],
    [
      'most of several',
      { ...slow, transfer: { queuedS: 3, diskS: 4 } },
      'disk',
      'it waited 4 s for its disk, others 0.10 s',
    ],
    [
      'no CPU, half of the time in each phase',
      {
        startedS: 1.6,
        completeS: 8.5,
        doneS: 10.2,
        unpack: { cpuS: 0.1, queuedS: 1.5 },
        transfer: { queuedS: 2 },
      },
      'cpu',
      'it waited 3.5 s for a CPU, others 0.10 s',
    ],
    [
      'a busy machine that holds up all of them',
      { completeS: 7, doneS: 7.2, transfer: { cpuS: 2.05, peakDown: 3_000_000 } },
      'link',
      'its downlink carried 24 Mbit/s, others 50',
    ],
    [
      'too little of any to explain it',
      { ...slow, transfer: { queuedS: 2, diskS: 2 } },
      'unknown',
      'nothing that was measured says why',
    ],
    ['more to fetch', { ...slow, received: 20_000_000 }, 'amount', 'it fetched 19.1 MiB, others 9.5 MiB'],
    [
      'unpacking without CPU',
      { ...unpacksSlowly, unpack: { cpuS: 0.1, queuedS: 4 } },
      'cpu',
      'unpacking took 5.2 s, others 0.20 s: it waited 4 s for a CPU',
    ],
    [
      'unpacking on a slow CPU',
      { ...unpacksSlowly, unpack: { cpuS: 4, queuedS: 0 } },
      'cpu',
      'unpacking took 5.2 s, others 0.20 s: its CPU worked 4 s on it',
    ],
    [
      'unpacking to a slow disk',
      unpacksSlowly,
      'disk',
      'unpacking took 5.2 s, others 0.20 s: it waited for its disk',
    ],
  ])('%s', (_, changes, cause, text) => {
    expect(lastServer(fleet(changes))).toMatchObject({
      server: 'web4',
      cause,
      text,
    })
  })

  test('on a busy machine who takes long waits long for a CPU: that is no cause', () => {
    const facts = fleet({ ...slow, transfer: { queuedS: 3.5, peakDown: 3_000_000 } })
    for (const { transfer } of facts.slice(0, 3)) if (transfer) transfer.queuedS = 0.9
    expect(lastServer(facts)?.cause).toBe('link')
  })

  test('by how much: after the median of the others', () => {
    expect(lastServer(fleet(slow))?.behind).toBeCloseTo(5)
  })

  test('a slow sender: what came late came from one server that sends slowly', () => {
    const late = {
      ...slow,
      pieces: [...from('web2', 1), ...from('web1', 19)],
      transfer: { peakDown: 1_500_000 },
    }
    const facts = fleet(late)
    const [sender] = facts
    if (sender?.transfer) sender.transfer.peakUp = 1_250_000
    expect(lastServer(facts)).toMatchObject({
      cause: 'sender',
      text: '95% of its last pieces came from web1, which sent at most 10 Mbit/s',
    })
  })

  test('a slow sender: its disk gave less than it could send', () => {
    const late = { ...slow, pieces: from('web1', 20), transfer: { peakDown: 1_500_000 } }
    const facts = fleet(late)
    const [sender] = facts
    if (sender?.transfer) sender.transfer.readRate = 1_000_000
    expect(lastServer(facts)).toMatchObject({
      cause: 'sender',
      text: '100% of its last pieces came from web1, whose disk gave 8.0 Mbit/s',
    })
  })

  test('a server that sends as fast as others is no cause: then it is the link', () => {
    const late = { ...slow, pieces: from('web1', 20), transfer: { peakDown: 1_500_000 } }
    expect(lastServer(fleet(late))?.cause).toBe('link')
  })

  test.each<[string, ServerTransfer[]]>([
    ['no servers', []],
    ['one server', [server('web1', slow)]],
    ['servers that are alike', fleet({})],
    ['less than half a second', fleet({ doneS: 5.6 })],
    ['a small share of a long deploy', [server('a', { doneS: 100 }), server('b', { doneS: 110 })]],
    [
      'no more than the others differ',
      [3, 5, 8, 13, 16].map((doneS) => server(`web${doneS}`, { completeS: doneS - 1, doneS })),
    ],
  ])('says nothing of %s', (_, facts) => {
    expect(lastServer(facts)).toBeUndefined()
    expect(lateServers(facts)).toEqual([])
  })

  test('a server without facts of its own has a time and no cause', () => {
    const { transfer: _, unpack: __, ...silent } = server('web4', slow)
    expect(lastServer([...fleet({}).slice(0, 3), silent])).toMatchObject({ server: 'web4', cause: 'unknown' })
  })

  test('names every late server, the last one first', () => {
    const facts = [
      ...fleet({ ...slow, transfer: { diskS: 4 } }),
      server('web5', { startedS: 6, completeS: 11, doneS: 11.2 }),
    ]
    expect(lateServers(facts).map(({ server, cause }) => [server, cause])).toEqual([
      ['web5', 'start'],
      ['web4', 'disk'],
    ])
  })
})

describe('the way of the last piece', () => {
  const piece = 7
  const arrival = (source: string, atS: number) => ({ pieces: [{ piece, source, atS }], doneS: 5 })
  const last = (source: string) => ({ ...slow, lastPiece: { piece, source, atS: 10 } })

  test.each<[string, ServerTransfer[], [string, number, number][]]>([
    [
      'over two servers to the seeder',
      [server('a', last('b')), server('b', arrival('c', 6)), server('c', arrival('seeder', 2))],
      [
        ['a', 10, 0.01],
        ['b', 6, 0.11],
        ['c', 2, 0.11],
        ['seeder', 0, 0],
      ],
    ],
    ['until a server that says nothing', [server('a', last('b')), server('b')], [['a', 10, 0.01]]],
    [
      'not in a circle',
      [server('a', last('b')), server('b', arrival('a', 6))],
      [
        ['a', 10, 0.01],
        ['b', 6, 0.11],
      ],
    ],
    ['none where nothing is known', [server('a', slow), server('b')], []],
  ])('%s', (_, facts, chain) => {
    expect(lastServer(facts)?.chain.map(({ server, at, error }) => [server, at, error])).toEqual(chain)
  })
})
