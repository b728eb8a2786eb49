import { describe, expect, test } from 'vitest'
import {
  arrivedIn,
  countersIn,
  mostArrived,
  ownLoad,
  queuedIn,
} from '../../../../src/agent/receive/own-load.ts'

const snmp = `Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm InSegs OutSegs RetransSegs
Tcp: 1 2000 3000 40
`

const devices = (lo: number, bond: number, ethernet: number) => `Inter-|   Receive                |  Transmit
 face |bytes    packets errs drop |bytes    packets errs drop
    lo: ${lo}     10    0    0   ${lo}    10    0    0
 bond0:${bond}     10    0    0   77    10    0    0
  eth0: ${ethernet}    10    0    0   77    10    0    0
`

describe('what the system says of a process', () => {
  test('counters of one protocol by their names', () => {
    const counters = countersIn(snmp, 'Tcp')
    expect([counters.get('InSegs'), counters.get('RetransSegs'), counters.get('DefaultTTL')]).toEqual([
      2000,
      40,
      undefined,
    ])
    expect(countersIn('', 'Tcp').size).toBe(0)
  })

  test('seconds on the run queue', () => {
    expect(queuedIn('1000000 2500000000 17\n')).toBe(2.5)
    expect(queuedIn('')).toBe(0)
  })

  test('what came over the network, by the interface with most', () => {
    const before = arrivedIn(devices(1000, 500, 700))
    expect([...before]).toEqual([
      ['bond0', 500],
      ['eth0', 700],
    ])
    expect(mostArrived(before, arrivedIn(devices(9000, 2500, 2600)))).toBe(2000)
    expect(mostArrived(arrivedIn(''), arrivedIn(''))).toBe(0)
  })

  test('of this process', () => {
    const { cpuS, queuedS } = ownLoad()
    expect(cpuS).toBeGreaterThan(0)
    expect(queuedS).toBeGreaterThanOrEqual(0)
  })
})
