import { describe, expect, test } from 'vitest'
import type { DeployReport } from '../../../../src/report/deploy-report.ts'
import { ProgressBoard } from '../../../../src/report/live/board.ts'
import type { OutputMode } from '../../../../src/report/output.ts'
import { Screen, TestClock, TestStream } from '../stand-ins.ts'

const MiB = 1024 ** 2
const servers = ['deploy@a', 'deploy@b', 'deploy@c', 'deploy@d', 'deploy@e']

function start<S extends TestStream>(mode: OutputMode, stream: S, fleet = servers) {
  const clock = new TestClock()
  const board = new ProgressBoard({ servers: fleet, mode, stream, clock })
  return { board, clock, stream }
}

/** Every server in the transfer of 20 MiB, the nth with n MiB/s for so long. */
function transferring(board: ProgressBoard, fleet = servers, seconds = 2) {
  fleet.forEach((server, index) => {
    const part = index + 1
    board.update(server, {
      phase: 'transfer',
      bytes: part * seconds * MiB,
      total: 20 * MiB,
      rate: part * MiB,
    })
  })
}

describe('on a terminal', () => {
  test('one line for the swarm and the three slowest servers, redrawn in place', () => {
    const { board, clock, stream } = start('terminal', new Screen(120))
    transferring(board, servers, 0)
    clock.advance(3000)
    transferring(board, servers, 3)
    board.seeder(22 * MiB)
    clock.advance(100)
    expect(stream.text).toBe(
      [
        'transfer   45%  [###########---------------]  45.0 MiB of 100 MiB  15.0 MiB/s  ETA 17 s  0/5 done  seeder sent 22.0 MiB',
        '  deploy@a  transfer   15%  1.0 MiB/s',
        '  deploy@b  transfer   30%  2.0 MiB/s',
        '  deploy@c  transfer   45%  3.0 MiB/s',
      ].join('\n'),
    )
    for (const server of servers.slice(0, 3)) board.update(server, { phase: 'done' })
    board.fail({
      server: 'deploy@d',
      step: 'transfer',
      cause: 'no progress for 60 s',
      cure: 'check its network',
    })
    clock.advance(100)
    expect(stream.text).toBe(
      [
        'deploy@d failed (transfer)',
        'transfer   93%  [########################--]  75.0 MiB of 80.0 MiB  5.0 MiB/s  3/5 done  1 failed  seeder sent 22.0 MiB',
        '  deploy@e  transfer   75%  5.0 MiB/s',
      ].join('\n'),
    )
  })

  test('never wraps, whatever the width', () => {
    for (let columns = 4; columns <= 200; columns += 1) {
      const screen = new Screen(columns)
      const { board, clock } = start('terminal', screen, [
        'deploy@a-rather-long-name.example.com:2222',
        ...servers,
      ])
      transferring(board)
      board.seeder(22 * MiB)
      board.update('deploy@e', { phase: 'failed' })
      clock.advance(100)
      expect(screen.wrapped, `${columns} columns`).toBe(false)
      expect(screen.text.split('\n')).toHaveLength(4)
    }
  })

  test.each([60, 80, 200])('a hundred servers, one of them slow and one failed, in %i columns', (columns) => {
    const fleet = Array.from({ length: 100 }, (_, at) => `deploy@web${at + 1}.fra.example.com`)
    const [screen, lines] = [new Screen(columns), [] as string[]]
    const { board, clock } = start('terminal', screen, fleet)
    const look = () => lines.push(...screen.text.split('\n'), '')
    board.step('package', { bytes: 20 * MiB, total: 20 * MiB })
    clock.advance(3100)
    look()
    for (let second = 0; second < 4; second++) {
      for (const [at, server] of fleet.entries())
        board.update(server, {
          phase: 'transfer',
          bytes: (at === 6 ? 0.2 : 4) * second * MiB,
          total: 20 * MiB,
          rate: (at === 6 ? 0.2 : 4) * MiB,
        })
      clock.advance(1000)
    }
    board.seeder(25 * MiB)
    board.fail({ server: fleet[41] ?? '', step: 'transfer', cause: 'it was killed', cure: 'see dmesg' })
    clock.advance(100)
    look()
    for (const [at, server] of fleet.entries())
      if (at !== 6 && at !== 41) board.update(server, { phase: 'done' })
    clock.advance(100)
    look()
    board.update(fleet[6] ?? '', { phase: 'done' })
    board.finish()
    look()
    expect(screen.wrapped).toBe(false)
    expect(lines.join('\n')).toMatchSnapshot()
  })

  test('a narrow terminal keeps what matters', () => {
    const { board, clock, stream } = start('terminal', new Screen(40))
    transferring(board, servers, 0)
    clock.advance(3000)
    transferring(board, servers, 3)
    clock.advance(100)
    expect(stream.text.split('\n')[0]).toBe('transfer   45%  ETA 17 s  0/5 done')
    const narrower = start('terminal', new Screen(30))
    transferring(narrower.board)
    narrower.clock.advance(100)
    expect(narrower.stream.text.split('\n')[0]).toBe('transfer   30%  0/5 done')
  })

  test('writes at most ten times a second, and only when something has changed', () => {
    const { board, clock, stream } = start('terminal', new Screen(80))
    for (let tick = 0; tick < 1000; tick += 1) {
      board.update('deploy@a', { phase: 'transfer', bytes: tick, total: 1000, rate: 1 })
      clock.advance(1)
    }
    expect(stream.writes).toBe(10)
    clock.advance(10_000)
    expect(stream.writes).toBe(10)
  })

  test('lines that others write go above it', () => {
    const { board, clock, stream } = start('terminal', new Screen(60))
    transferring(board, ['deploy@a', 'deploy@b'])
    clock.advance(100)
    stream.write('Running hooks\n')
    expect(stream.text).toBe('Running hooks')
    clock.advance(100)
    expect(stream.text.split('\n').map((line) => line.slice(0, 14))).toEqual([
      'Running hooks',
      'transfer    6%',
      '  deploy@c  ch',
      '  deploy@d  ch',
      '  deploy@e  ch',
    ])
    stream.write('half a ')
    clock.advance(500)
    expect(stream.text).toBe('Running hooks\nhalf a')
    stream.write('line\n')
    board.log('and one of ours')
    clock.advance(100)
    expect(stream.text.split('\n').slice(0, 4)).toEqual([
      'Running hooks',
      'half a line',
      'and one of ours',
      expect.stringMatching(/^transfer/),
    ])
  })

  test('survives a terminal that becomes narrower, wider, and narrower again', () => {
    const { board, clock, stream } = start('terminal', new Screen(100))
    stream.write('before\n')
    transferring(board)
    for (const columns of [100, 60, 100, 30, 45, 100, 20]) {
      stream.resize(columns)
      board.seeder(columns)
      clock.advance(400)
      expect(stream.text.split('\n').map((line) => line.slice(0, 5))).toEqual([
        'befor',
        'trans',
        '  dep',
        '  dep',
        '  dep',
      ])
    }
  })

  test('writes nothing while its edge is dragged, and soon afterwards even if nothing has changed', () => {
    const { board, clock, stream } = start('terminal', new Screen(100))
    transferring(board)
    clock.advance(100)
    for (let columns = 98; columns >= 40; columns -= 2) {
      stream.resize(columns)
      board.seeder(columns)
      clock.advance(100)
    }
    expect(stream.writes).toBe(1)
    clock.advance(400)
    expect(stream.writes).toBe(2)
    stream.resize(100)
    clock.advance(500)
    expect(stream.writes).toBe(3)
    expect(stream.text).toContain('seeder sent')
    expect(stream.text.split('\n')).toHaveLength(4)
  })

  test('a terminal that does not know its size counts as 80 columns', () => {
    const screen = new Screen(80)
    const stream = Object.assign(new TestStream(), { isTTY: true, columns: 0, rows: 0 })
    const { board, clock } = start('terminal', stream)
    for (let round = 0; round < 3; round += 1) {
      transferring(board)
      clock.advance(100)
    }
    screen.write(stream.written)
    expect(screen.text.split('\n')).toHaveLength(4)
    expect(screen.wrapped).toBe(false)
  })

  test('leaves one line behind, no timer and no wrapped stream', () => {
    const { board, clock, stream } = start('terminal', new Screen(80))
    transferring(board)
    clock.advance(100)
    for (const server of servers) board.update(server, { phase: 'done' })
    board.finish()
    board.finish()
    expect(stream.text).toBe('done      5/5 done')
    expect(clock.timers).toBe(0)
    expect(Object.hasOwn(stream, 'write')).toBe(false)
  })

  test('steps of the deploy host', () => {
    const { board, clock, stream } = start('terminal', new Screen(80))
    board.step('package', { bytes: 10 * MiB, total: 40 * MiB, rate: 30 * MiB })
    clock.advance(100)
    expect(stream.text).toBe(
      'package    25%  [####-------------]  10.0 MiB of 40.0 MiB  30.0 MiB/s  0/5 done',
    )
    board.step('package', { bytes: 20 * MiB, total: 40 * MiB })
    clock.advance(100)
    expect(stream.text).toBe('package    50%  [##############--------------]  20.0 MiB of 40.0 MiB  0/5 done')
    board.step('seed')
    board.update('deploy@a', { phase: 'upload' })
    clock.advance(100)
    expect(stream.text).toBe('seed      0/5 done')
    transferring(board)
    clock.advance(100)
    expect(stream.text.split('\n')[0]).toMatch(/^transfer {3}30%/)
    for (const server of servers) board.update(server, { phase: 'done' })
    board.step('publish')
    clock.advance(100)
    expect(stream.text).toBe('publish   5/5 done')
  })

  test('of lines that say the same of many servers only some are shown', () => {
    const fleet = Array.from({ length: 100 }, (_, at) => `deploy@web${at}`)
    const { board, clock, stream } = start('terminal', new Screen(80), fleet)
    for (const server of fleet) board.log(`${server}: the connection broke`, server)
    for (const server of fleet.slice(50))
      board.fail({ server, step: 'transfer', cause: 'nothing moved for 75 s' })
    board.log('for all', undefined)
    clock.advance(100)
    expect(stream.text.split('\n').slice(0, -4)).toEqual([
      ...fleet.slice(0, 6).map((server) => `${server}: the connection broke`),
      'more servers: the connection broke',
      ...fleet.slice(50, 56).map((server) => `${server} failed (transfer)`),
      'more servers: failed (transfer)',
      'for all',
    ])
    expect(stream.text).toContain('0/100 done  50 failed')
  })

  test('a display that comes later knows who has failed', () => {
    const stream = new Screen(80)
    const board = new ProgressBoard({
      servers,
      done: servers.slice(1),
      failed: servers.slice(0, 1),
      mode: 'terminal',
      stream,
    })
    board.finish()
    expect(stream.text).toBe('ended     4/5 done  1 failed')
  })

  test('a package that is made does not hide whom the deploy waits for', () => {
    const { board, clock, stream } = start('terminal', new Screen(80))
    for (const server of servers) board.update(server, { phase: 'upload' })
    board.step('package', { bytes: 10 * MiB, total: 40 * MiB })
    clock.advance(100)
    expect(stream.text.split('\n')[0]).toMatch(/^package +25%/)
    board.step('package', { bytes: 40 * MiB, total: 40 * MiB })
    clock.advance(100)
    expect(stream.text.split('\n').slice(0, 2)).toEqual(['upload    0/5 done', '  deploy@a  upload'])
  })

  test('colours are sparse and can be left out', () => {
    const screen = new Screen(80)
    const clock = new TestClock()
    const board = new ProgressBoard({ servers, mode: 'terminal', stream: screen, clock, colour: true })
    transferring(board)
    board.fail({ server: 'deploy@a', step: 'transfer', cause: 'gone' })
    clock.advance(100)
    expect(screen.written).toContain('\u001b[31mdeploy@a failed (transfer)\u001b[39m')
    expect(screen.written).toContain('\u001b[31m1 failed\u001b[39m')
    expect(screen.wrapped).toBe(false)

    const plain = start('terminal', new Screen(80))
    transferring(plain.board)
    plain.clock.advance(100)
    expect(plain.stream.written).not.toMatch(/\[\d+m/)
  })
})

describe('in a log', () => {
  test('a line at every step and every five seconds', () => {
    const { board, clock, stream } = start('plain', new TestStream())
    expect(stream.take()).toEqual(['check: 0/5 servers done'])
    clock.advance(1000)
    board.step('package')
    board.step('package', { bytes: MiB, total: 2 * MiB, rate: MiB })
    expect(stream.take()).toEqual(['package: 0/5 servers done'])
    transferring(board)
    expect(stream.take()).toEqual(['transfer 2%: 2.0 MiB of 100 MiB, 1.0 MiB/s, 0/5 servers done'])
    clock.advance(4000)
    expect(stream.take()).toEqual([])
    clock.advance(1000)
    expect(stream.take()).toEqual([
      'transfer 30%: 30.0 MiB of 100 MiB, 15.0 MiB/s, ETA 18 s, 0/5 servers done, slowest deploy@a 10%',
    ])
    clock.advance(10_000)
    expect(stream.take()).toHaveLength(2)
  })

  test('each server when it is done', () => {
    const { board, clock, stream } = start('plain', new TestStream(), ['deploy@a', 'deploy@b', 'deploy@c'])
    board.update('deploy@c', { phase: 'done' })
    for (const server of ['deploy@a', 'deploy@b']) board.update(server, { phase: 'transfer', total: MiB })
    stream.take()
    clock.advance(2500)
    board.update('deploy@b', { phase: 'unpack' })
    clock.advance(500)
    board.update('deploy@b', { phase: 'done' })
    board.update('deploy@b', { phase: 'done' })
    expect(stream.take()).toEqual(['deploy@b: Done and done, 3 s'])
  })

  test('of a large fleet not each server when it is done', () => {
    const fleet = Array.from({ length: 1000 }, (_, at) => `deploy@${at}`)
    const { board, stream } = start('plain', new TestStream(), fleet)
    transferring(board, fleet)
    stream.take()
    for (const server of fleet) board.update(server, { phase: 'done' })
    const lines = stream.take()
    expect(lines.slice(39)).toEqual([
      'deploy@39: Done and done, 0 s',
      'more servers: Done and done',
      expect.stringContaining('1000/1000 servers done'),
    ])
  })

  test('failures at once, the last state at the end', () => {
    const { board, stream } = start('plain', new TestStream(), ['deploy@a', 'deploy@b'])
    stream.take()
    board.fail({ server: 'deploy@a', step: 'check', cause: 'Connection\nrefused', cure: 'start sshd' })
    expect(stream.take()).toEqual(['deploy@a failed (check)'])
    board.update('deploy@b', { phase: 'done' })
    board.finish()
    expect(stream.take()).toEqual(['ended: 1/2 servers done, 1 failed'])
    expect(stream.written).toBe('')
  })

  test('nothing is called done when every server has failed', () => {
    const { board, stream } = start('plain', new TestStream(), ['deploy@a'])
    board.fail({ server: 'deploy@a', step: 'check', cause: 'gone' })
    expect(stream.take().slice(1)).toEqual(['failed: 0/1 servers done, 1 failed', 'deploy@a failed (check)'])
    board.finish()
    expect(stream.take()).toEqual([]) // it was said before
  })
})

describe('as JSON', () => {
  const time = '2026-01-02T03:04:05.000Z'
  const later = '2026-01-02T03:04:06.000Z'

  test('events and nothing else', () => {
    const { board, clock, stream } = start('json', new TestStream(), ['deploy@a', 'deploy@b'])
    board.log('two\nlines')
    board.update('deploy@a', { phase: 'transfer', total: 100 })
    board.update('deploy@a', { bytes: 50, rate: 12.34 })
    board.seeder(60)
    clock.advance(1000)
    clock.advance(1000)
    board.fail({ server: 'deploy@b', step: 'check', cause: 'no route', cure: 'plug it in' })
    expect(stream.take().map((line) => JSON.parse(line))).toEqual([
      { event: 'step', time, step: 'check' },
      { event: 'log', time, message: 'two\nlines' },
      { event: 'server', time, server: 'deploy@a', phase: 'transfer', bytes: 0, total: 100 },
      { event: 'step', time, step: 'transfer' },
      {
        event: 'progress',
        time: later,
        step: 'transfer',
        bytes: 50,
        total: 200,
        rate: 12,
        eta: null,
        servers: 2,
        done: 0,
        failed: 0,
        seederUploaded: 60,
        slowest: [
          { server: 'deploy@b', phase: 'check', bytes: 0, total: 0, rate: 0 },
          { server: 'deploy@a', phase: 'transfer', bytes: 50, total: 100, rate: 12 },
        ],
      },
      {
        event: 'server',
        time: '2026-01-02T03:04:07.000Z',
        server: 'deploy@b',
        phase: 'failed',
        bytes: 0,
        total: 0,
      },
      {
        event: 'failed',
        time: '2026-01-02T03:04:07.000Z',
        server: 'deploy@b',
        step: 'check',
        cause: 'no route',
        cure: 'plug it in',
      },
    ])
  })

  test('the report', () => {
    const { board, stream } = start('json', new TestStream(), ['deploy@a'])
    stream.take()
    const report: DeployReport = {
      size: 1000,
      packaged: true,
      servers: 1,
      phases: { check: 0.5, transfer: 2 },
      seconds: 3,
      perServer: [{ server: 'deploy@a', seconds: 2, received: 1000 }],
      seederUploaded: 1050,
      failures: [],
      between: 'direct',
    }
    board.report(report)
    expect(
      stream
        .take()
        .map((line) => JSON.parse(line))
        .at(-1),
    ).toEqual({
      event: 'report',
      time,
      size: 1000,
      packaged: true,
      servers: 1,
      done: 1,
      seconds: 3,
      phases: { check: 0.5, transfer: 2 },
      last: null,
      fastest: { server: 'deploy@a', seconds: 2, rate: 500 },
      slowest: { server: 'deploy@a', seconds: 2, rate: 500 },
      seederUploaded: 1050,
      seederRatio: 1.05,
      perServer: [{ server: 'deploy@a', seconds: 2, received: 1000 }],
      failures: [],
    })
  })
})
