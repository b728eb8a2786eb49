import { expect, it } from 'vitest'
import type { RunReport } from '../../../../src/deploy/outcome/run-report.ts'
import { traceOf } from '../../../../src/deploy/outcome/trace.ts'
import type { OutputEvent } from '../../../../src/report/events.ts'
import { Timeline } from '../../../../src/report/timeline.ts'

const BEGUN = Date.parse('2026-01-02T03:04:05.000Z')

it('a trace has a span for the run, each step, each server and each of its phases', () => {
  let now = BEGUN
  const timeline = new Timeline(() => now)
  const server = (name: string, phase: 'check' | 'transfer' | 'done' | 'failed'): OutputEvent => ({
    event: 'server',
    server: name,
    phase,
    bytes: 0,
    total: 0,
  })
  const events: OutputEvent[] = [
    { event: 'step', step: 'check' },
    server('a', 'check'),
    server('b', 'check'),
    server('b', 'failed'),
    { event: 'step', step: 'transfer' },
    server('a', 'transfer'),
    server('a', 'done'),
  ]
  for (const event of events) {
    timeline.take(event)
    now += 1000
  }
  const record = { received: 0, fromSeeder: 0, fromPeers: 0, sent: 0, retries: 0 }
  const report = {
    environment: 'production',
    begun: new Date(BEGUN).toISOString(),
    ended: new Date(now).toISOString(),
    release: '1',
    revision: null,
    exitCode: 1,
    error: '1 of 2 servers failed',
    servers: [
      { server: 'a', address: 'a.example.com:2222', outcome: 'done', ...record },
      {
        server: 'b',
        address: '[fd00::7]:22',
        outcome: 'failed',
        ...record,
        failure: { step: 'check', cause: 'no room' },
      },
      { server: 'never asked', address: 'c:22', outcome: 'unfinished', ...record },
    ],
  } as unknown as RunReport
  let ids = 0
  const spans = traceOf(report, timeline, { traceId: 't', parentSpanId: 'ci', spanId: () => String(ids++) })
  const seconds = (text: string) => (Number(BigInt(text) / 1_000_000n) - BEGUN) / 1000
  const lines = spans.map(({ spanId, parentSpanId, name, startTimeUnixNano, endTimeUnixNano, status }) =>
    [parentSpanId, spanId, name, seconds(startTimeUnixNano), seconds(endTimeUnixNano), status.message].join(
      ' ',
    ),
  )
  expect(lines).toEqual([
    'ci 0 deploy production 0 7 1 of 2 servers failed',
    '0 1 check 0 4 ',
    '0 2 transfer 4 7 ',
    '0 3 a 1 6 ',
    '3 4 check 1 5 ',
    '3 5 transfer 5 6 ',
    '0 6 b 2 3 no room',
    '6 7 check 2 3 no room',
  ])
  expect(spans.every(({ traceId }) => traceId === 't')).toBe(true)
  const ofSpan = (name: string) =>
    Object.fromEntries(
      spans
        .find((span) => span.name === name)
        ?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]) ?? [],
    )
  expect(ofSpan('a')).toMatchObject({
    'server.address': 'a.example.com',
    'server.port': '2222',
    'deployment.status': 'succeeded',
  })
  expect(ofSpan('b')).toMatchObject({
    'server.address': 'fd00::7',
    'deployment.status': 'failed',
    'error.type': 'check',
  })
  expect(ofSpan('deploy production')).toMatchObject({
    'cicd.pipeline.result': 'failure',
    'error.type': 'exit 1',
  })
  expect(ofSpan('transfer')).toMatchObject({ 'cicd.pipeline.task.name': 'transfer' })
  const keys = spans[0]?.attributes.map(({ key }) => key)
  expect(keys).toContain('cicd.pipeline.result')
  expect(keys).not.toContain('vcs.ref.head.revision')
})
