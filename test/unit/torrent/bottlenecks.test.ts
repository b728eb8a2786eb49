import { describe, expect, test } from 'vitest'
import { Bottlenecks } from '../../../src/torrent/bottlenecks.ts'

/** Looks every 0.1 s; `at` says what is different at a time. */
function lookedAt(
  seconds: number,
  at: (nowS: number) => { rate?: number; waitsForDisk?: boolean; skips?: boolean },
) {
  const bottlenecks = new Bottlenecks()
  let received = 0
  for (let tick = 0; tick <= seconds * 10; tick++) {
    const nowS = tick / 10
    const { rate = 1000, waitsForDisk = false, skips = false } = at(nowS)
    received += rate / 10
    if (!skips) bottlenecks.look(nowS, { received, sent: received / 2, waitsForDisk })
  }
  return bottlenecks
}

describe('what holds up a transfer', () => {
  test('the fastest half second counts, not the fastest moment', () => {
    const { peakDown, peakUp } = lookedAt(10, (nowS) => ({
      rate: nowS >= 5 && nowS < 6 ? 4000 : nowS === 8 ? 9000 : 1000,
    }))
    expect(peakDown).toBeCloseTo(4000, -1)
    expect(peakUp).toBeCloseTo(2000, -1)
  })

  test('the time in which the disk was waited for, and single writes', () => {
    const bottlenecks = lookedAt(10, (nowS) => ({ waitsForDisk: nowS > 4 && nowS <= 6 }))
    expect(bottlenecks.diskS).toBeCloseTo(2)
    bottlenecks.wrote(0.5)
    expect(bottlenecks.diskS).toBeCloseTo(2.5)
    expect(bottlenecks.stoppedS).toBe(0)
  })

  test('a write that takes long is no stop of the process', () => {
    const bottlenecks = new Bottlenecks()
    bottlenecks.look(0, { received: 0, sent: 0, waitsForDisk: false })
    bottlenecks.wrote(3)
    bottlenecks.look(3.1, { received: 0, sent: 0, waitsForDisk: false })
    expect([bottlenecks.diskS, bottlenecks.stoppedS]).toEqual([3, 0])
  })

  test('what the disk gave to others: reads at the same time count for it once, pauses not at all', async () => {
    const bottlenecks = new Bottlenecks()
    let nowS = 0
    const read = (untilS: number) =>
      bottlenecks.reading(
        async () => {
          nowS = untilS
          return Buffer.alloc(1000)
        },
        () => nowS,
      )
    expect(bottlenecks.readRate).toBeUndefined()
    await read(2)
    nowS = 10
    await Promise.all([read(11), read(12)])
    expect(bottlenecks.readRate).toBe(3000 / 4)
  })

  test('the time in which the process did not run', () => {
    const { stoppedS, diskS } = lookedAt(10, (nowS) => ({ skips: nowS > 4 && nowS < 6 }))
    expect(stoppedS).toBeCloseTo(2)
    expect(diskS).toBe(0)
  })
})
