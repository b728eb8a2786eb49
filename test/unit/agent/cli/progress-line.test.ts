import { describe, expect, it, test } from 'vitest'
import { progressLine, progressText, renderPeerProgress } from '../../../../src/agent/cli/progress-line.ts'

const MiB = 1024 * 1024

test('the line of a single peer', () => {
  const progress = { bytes: 12.5 * MiB, total: 27 * MiB, down: 8 * MiB, up: 7.5 * MiB, peers: 6, eta: 1.8 }
  expect(renderPeerProgress(progress)).toBe(
    ' 46%  12.5 MiB of 27.0 MiB  down 8.0 MiB/s  up 7.5 MiB/s  6 peers  ETA 2 s',
  )
  expect(renderPeerProgress({ bytes: 0, total: MiB, down: 0, up: 0, peers: 1 })).toBe(
    '  0%  0 B of 1.0 MiB  down 0 B/s  up 0 B/s  1 peer',
  )
  expect(renderPeerProgress(progress, 20)).toBe(' 46%  12.5 MiB of …')
})

describe('progress', () => {
  const event = { event: 'progress', bytes: 50, total: 100, down: 10, up: 0, peers: 1 } as const

  it('tells the time that is left', () => {
    expect(progressText(event)).toContain('50%')
    expect(progressText(event)).toMatch(/ETA 5(\.0)? s/)
    expect(progressText({ ...event, down: 0 })).not.toContain('ETA')
  })

  it('redraws one line on a terminal, never longer than it', () => {
    const written: string[] = []
    const terminal = { isTTY: true, columns: 10, write: (text: string) => written.push(text) }
    const line = progressLine(terminal as never)
    line.show(() => 'a text that is too long')
    line.clear()
    line.clear()
    expect(written).toEqual(['\r\u001b[2Ka text th', '\r\u001b[2K'])
  })
})
