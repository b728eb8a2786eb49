import { describe, expect, test } from 'vitest'
import { HoldUps } from '../../../src/torrent/hold-ups.ts'

/** Looks every 0.1 s; `at` says what is different at a time. */
function lookedAt(
  seconds: number,
  at: (nowS: number) => { rate?: number; waitsForDisk?: boolean; skips?: boolean },
) {
  const holdUps = new HoldUps()
  let received = 0
  for (let tick = 0; tick <= seconds * 10; tick++) {
    const nowS = tick / 10
    const { rate = 1000, waitsForDisk = false, skips = false } = at(nowS)
    received += rate / 10
    if (!skips) holdUps.look(nowS, { received, sent: received / 2, waitsForDisk })
  }
  return holdUps
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
    const holdUps = lookedAt(10, (nowS) => ({ waitsForDisk: nowS > 4 && nowS <= 6 }))
    expect(holdUps.diskS).toBeCloseTo(2)
    holdUps.wrote(0.5)
    expect(holdUps.diskS).toBeCloseTo(2.5)
    expect(holdUps.stoppedS).toBe(0)
  })

  test('a write that takes long is no stop of the process', () => {
    const holdUps = new HoldUps()
    holdUps.look(0, { received: 0, sent: 0, waitsForDisk: false })
    holdUps.wrote(3)
    holdUps.look(3.1, { received: 0, sent: 0, waitsForDisk: false })
    expect([holdUps.diskS, holdUps.stoppedS]).toEqual([3, 0])
  })

  test('the time in which the process did not run', () => {
    const { stoppedS, diskS } = lookedAt(10, (nowS) => ({ skips: nowS > 4 && nowS < 6 }))
    expect(stoppedS).toBeCloseTo(2)
    expect(diskS).toBe(0)
  })
})
