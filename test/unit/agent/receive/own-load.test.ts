import { describe, expect, test } from 'vitest'
import { countersIn, ownLoad, queuedIn } from '../../../../src/agent/receive/own-load.ts'

const snmp = `Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm InSegs OutSegs RetransSegs
Tcp: 1 2000 3000 40
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

  test('of this process', () => {
    const { cpuS, queuedS } = ownLoad()
    expect(cpuS).toBeGreaterThan(0)
    expect(queuedS).toBeGreaterThanOrEqual(0)
  })
})
