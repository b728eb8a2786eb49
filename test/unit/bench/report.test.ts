import { describe, expect, it } from 'vitest'
import { reportTable as deployTable, type Measurement } from '../../../bench/deploy/report.ts'
import { formatBytes, formatRate, parseAmount, parseRate } from '../../../bench/shared/units.ts'
import { type Run, summarize } from '../../../bench/swarm/summary.ts'

describe('amounts', () => {
  it('are read and written in decimal and binary units', () => {
    expect(['20M', '50Mi', '1.5G', '4096'].map(parseAmount)).toEqual([20e6, 50 * 2 ** 20, 1.5e9, 4096])
    expect([20e6, 50 * 2 ** 20, 1.5e9, 1234567].map(formatBytes)).toEqual([
      '20 MB',
      '50 MiB',
      '1500 MB',
      '1234567 B',
    ])
    expect([formatRate(50e6), formatRate(parseRate('0'))]).toEqual(['50 Mbit/s', 'unlimited'])
    expect(() => parseAmount('fast')).toThrow('"fast" is not an amount such as 20M, 50Mi or 1.5G')
  })
})

describe('the table of deploys', () => {
  const measure = (way: 'rsync' | 'murder', seconds: number, problems: string[] = []): Measurement => ({
    servers: 5,
    size: 20e6,
    rate: 50e6,
    round: 1,
    scratch: '/dev/shm',
    deploy: 'first',
    way,
    seconds,
    tasks: {},
    sent: 1e6,
    received: 1e6,
    problems,
    left: {},
  })

  it('sets the ratio of medians against what must be reached', () => {
    const row = (...runs: Measurement[]) => deployTable(runs).split('\n')[2]
    expect(row(measure('rsync', 20), measure('murder', 9), measure('murder', 11))).toMatch(
      /murder +10\.0 +0\.50 +≤ 0\.5 +ok/,
    )
    expect(row(measure('rsync', 20), measure('murder', 11))).toMatch(/0\.55 +≤ 0\.5 +MISSED/)
  })

  it('leaves deploys that went wrong out', () => {
    expect(deployTable([measure('rsync', 20), measure('murder', 1, ['wrong'])])).toMatch(/murder +– +–/)
  })
})

describe('the summary of a swarm', () => {
  const run = (round: number, done: Record<string, number>, problems: string[] = []): Run => ({
    contender: 'murder',
    servers: 3,
    round,
    done,
    links: {
      deploy: { sent: 1100, received: 0 },
      server1: { sent: 0, received: 1050 },
      server2: { sent: 0, received: 1050 },
      server3: { sent: 0, received: 1200 },
    },
    longLinks: { 2: { sent: 1700, received: 20 } },
    usage: [
      { host: 'deploy', role: 'seeder', cpuSeconds: 1, peakMiB: 50 },
      { host: 'server1', role: 'peer', cpuSeconds: 2, peakMiB: 60 },
      { host: 'server1', role: 'peer', cpuSeconds: 3, peakMiB: 40 },
      { host: 'server2', role: 'peer', cpuSeconds: 4, peakMiB: 30 },
    ],
    received: { server1: 1000, server2: 1000, server3: 1030 },
    busy: 0.5,
    problems,
  })

  it('takes medians over rounds, and the worst host', () => {
    const runs = [
      run(1, { server1: 1, server2: 2, server3: 9 }),
      run(2, { server1: 3, server2: 4, server3: 11 }),
      run(3, {}, ['went wrong']),
    ]
    // 1,000 bytes at 8,000 bits/s: a second.
    expect(summarize(runs, 1000, 8000, ['server3'])).toEqual([
      {
        contender: 'murder',
        servers: 3,
        rounds: 3,
        failed: 1,
        first: 2,
        median: 3,
        last: 10,
        ofLimit: 10,
        fastOfLimit: 2.5,
        longLinks: { 2: { into: 1.7, outOf: 0.02 } },
        seederUpload: 1.1,
        overhead: expect.closeTo(0.1),
        twice: expect.closeTo(0.01),
        cpu: { tracker: Number.NaN, seeder: 1, peer: 5 },
        peakMiB: { tracker: Number.NaN, seeder: 50, peer: 60 },
        busy: 0.5,
      },
    ])
    expect(summarize(runs, 1000, undefined, [])[0]).toMatchObject({
      ofLimit: undefined,
      fastOfLimit: undefined,
    })
  })
})
