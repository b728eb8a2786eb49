import { describe, expect, it } from 'vitest'
import { parseStatus } from '../../../../src/deploy/scripts/status-script.ts'
import { parseStopped } from '../../../../src/deploy/scripts/stop-script.ts'
import { parseCleaned } from '../../../../src/deploy/steps/clean.ts'
import { timeTag } from '../../../../src/deploy/transfer/time-tag.ts'
import { parseRuns } from '../../../../src/protocol/run-status.ts'

const run = { role: 'peer', tag: 'a', state: 'running', age: 3 }

describe('what servers answer', () => {
  it('status: passes over a greeting and takes every array', () => {
    const output = `Welcome!\nnode=v20.19.0\nnodePath=/n/node\ncurrent=20260102030405\nstaged=20260103030405\nunconfirmed=20260103030406\nunconfirmed.by=ann since 1\nagent=yes\n[${JSON.stringify(run)}]\n[${JSON.stringify(run)}]\n`
    expect(parseStatus({ label: 'deploy@a' }, output)).toEqual({
      server: 'deploy@a',
      node: 'v20.19.0',
      nodePath: '/n/node',
      agent: true,
      current: '20260102030405',
      staged: '20260103030405',
      unconfirmed: { release: '20260103030406', by: 'ann since 1', isLost: false },
      runs: [run, run],
    })
  })

  it('status: nothing is there', () => {
    expect(parseStatus({ label: 'deploy@a' }, 'node=\n')).toEqual({
      ...{
        server: 'deploy@a',
        node: null,
        nodePath: null,
        agent: false,
        current: null,
        staged: null,
        unconfirmed: null,
        runs: [],
      },
    })
  })

  it('runs: a line that only looks like an array is none', () => {
    expect(parseRuns('[info] hello\n[]\n')).toEqual([])
  })

  it('stop: every peer that was stopped, and nothing else', () => {
    const output = 'Nothing runs here\nStopped the peer a-1 (pid 12)\nStopped the tracker t (pid 13)\n'
    expect(parseStopped(output)).toEqual([{ tag: 'a-1', pid: 12 }])
  })

  it('clean: what was removed and what runs', () => {
    expect(
      parseCleaned('hello\nremoved transfer a\nrunning transfer b\nremoved old agent c\nstuck /t/d: busy\n'),
    ).toEqual({
      removed: ['transfer a', 'old agent c'],
      running: ['transfer b'],
      stuck: ['/t/d: busy'],
    })
  })
})

it('a tag is the time, or later than all others', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 59)
  expect(timeTag([], now)).toBe('20260102030459')
  expect(timeTag(['20260102030459', undefined, '20260102030458'], now)).toBe('20260102030500')
  // A deploy host whose clock was ahead; and directories that are no release.
  expect(timeTag(['20260103000000'], now)).toBe('20260103000001')
  expect(timeTag(['99999999999999', '20269999999999', 'old', '20250101000000'], now)).toBe('20260102030459')
})
