import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ProgressBoard } from '../../../src/report/live/board.ts'
import { TestClock, TestStream } from './stand-ins.ts'

const docs = readFileSync(new URL('../../../docs/output.md', import.meta.url), 'utf8')

test('the JSON lines in docs/output.md are what such a deploy writes', () => {
  const clock = new TestClock()
  const stream = new TestStream()
  const board = new ProgressBoard({ servers: ['deploy@a', 'deploy@b'], mode: 'json', stream, clock })
  board.log('deploying to 2 servers')
  clock.advance(500)
  board.step('package')
  board.step('seed')
  board.update('deploy@a', { phase: 'transfer', total: 1_000_000 })
  board.update('deploy@a', { bytes: 400_000, rate: 800_000 })
  board.seeder(410_000)
  const failure = { server: 'deploy@b', step: 'check', cause: 'disk full', cure: 'free 2.0 MiB' }
  clock.advance(500)
  board.fail(failure)
  board.update('deploy@a', { phase: 'unpack' })
  board.update('deploy@a', { phase: 'done' })
  clock.advance(900)
  board.report({
    size: 1_000_000,
    packaged: true,
    servers: 2,
    phases: { check: 0.5, package: 0.1, seed: 0.05, transfer: 1.2, unpack: 0.2 },
    seconds: 2.05,
    perServer: [{ server: 'deploy@a', seconds: 1.25, received: 1_000_000 }],
    seederUploaded: 1_050_000,
    failures: [failure],
    between: 'direct',
  })
  const [, example] = /```json\n([\s\S]*?)```/.exec(docs) ?? []
  expect(stream.written).toBe(example)
})
