import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { annotations, ciSummary } from '../../../../src/deploy/outcome/ci-summary.ts'
import { metricsText } from '../../../../src/deploy/outcome/metrics.ts'
import type { RunReport } from '../../../../src/deploy/outcome/run-report.ts'
import { writeReport } from '../../../../src/deploy/outcome/write-report.ts'
import type { Shipit } from '../../../../src/shipit.ts'

const directory = mkdtempSync(join(tmpdir(), 'murder-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

const server = (name: string, seconds: number): RunReport['servers'][number] => ({
  server: name,
  address: `${name}:22`,
  outcome: 'done',
  published: true,
  steps: { check: 1, transfer: seconds },
  received: 1000,
  fromSeeder: 400,
  fromPeers: 600,
  sent: 50,
  rate: 10,
  retries: 0,
})
const failed: RunReport['servers'][number] = {
  ...server('deploy@b', 0),
  outcome: 'failed',
  published: false,
  failure: { step: 'transfer', cause: 'no | room, <b>50%</b>\n::error::', cure: 'free 2 MiB' },
}
const report: RunReport = {
  environment: 'production "eu"\\x',
  release: '20260102030405',
  revision: null,
  previousRelease: null,
  begun: '2026-01-02T03:04:05.000Z',
  ended: '2026-01-02T03:04:15.500Z',
  seconds: 10.5,
  exitCode: 1,
  error: '1 of 3 servers failed: nothing was published',
  published: false,
  size: 1_000_000,
  packaged: true,
  phases: { check: 1, transfer: 3 },
  seederUploaded: 1_100_000,
  last: null,
  groups: [],
  drained: [],
  wentBack: [],
  staged: false,
  leftOut: [],
  servers: [server('deploy@a', 1), failed, server('deploy@c', 3)],
}

describe('metricsText', () => {
  it('gives each figure with its labels', () => {
    const text = metricsText(report)
    const environment = 'environment="production \\"eu\\"\\\\x"'
    expect(text).toContain(`murder_run_success{${environment}} 0\n`)
    expect(text).toContain(`murder_run_end_timestamp_seconds{${environment}} 1767323055.5\n`)
    expect(text).toContain(`murder_run_servers{${environment},outcome="failed"} 1\n`)
    expect(text).toContain(
      `murder_server_received_bytes{${environment},server="deploy@a",source="peers"} 600\n`,
    )
  })

  // node_exporter up to 1.7 drops a metric of one of two files that differ in its help text: findings/node-exporter-drops-series.sh
  it('has the same help texts in all versions', () => {
    expect(metricsText(report).match(/^# HELP .*/gm)).toEqual([
      '# HELP murder_run_info Release and revision of the last run.',
      '# HELP murder_run_success Whether the last run ended with exit code 0.',
      '# HELP murder_run_published Whether the last run has changed a symlink.',
      '# HELP murder_run_end_timestamp_seconds When the last run ended, since 1970.',
      '# HELP murder_run_duration_seconds How long the last run took.',
      '# HELP murder_run_phase_seconds Seconds of each phase of the last run. They may overlap.',
      '# HELP murder_run_package_bytes Size of the package, or of the files of a release of which none was made.',
      '# HELP murder_run_seeder_sent_bytes What the seeder has sent to all servers.',
      '# HELP murder_run_servers Servers of the last run by outcome.',
      '# HELP murder_server_received_bytes What a server got, by source.',
      '# HELP murder_server_sent_bytes What a server sent to others.',
      '# HELP murder_server_step_seconds Seconds that a server took for each step.',
    ])
  })

  it.skipIf(spawnSync('promtool', ['--version']).error)('is what promtool accepts', () => {
    for (const each of [report, { ...report, phases: {}, servers: [] }])
      expect(execFileSync('promtool', ['check', 'metrics'], { input: metricsText(each) }).toString()).toBe('')
  })
})

describe('ciSummary', () => {
  it('has the failed server first, the curve, and no markup of others', () => {
    const text = ciSummary(report)
    expect(text).toContain('| servers | 2 of 3 done |')
    expect(text).toContain('| live on | 2 of 3 |')
    const rows = text.split('\n').filter((line) => line.startsWith('| deploy'))
    expect(rows.map((row) => row.split(' | ')[0])).toEqual(['| deploy\\@b', '| deploy\\@c', '| deploy\\@a'])
    expect(rows[0]).toContain('no \\| room, &lt;b>50%&lt;/b> ::error:: — free 2 MiB')
    const line = /line \[(.*)\]/.exec(text)?.[1]?.split(', ').map(Number) ?? []
    expect([line[0], line[9], line[10], line.at(-1)]).toEqual([0, 0, 1, 2])
  })

  it('says why the last server was last, where that is known', () => {
    expect(ciSummary(report)).not.toContain('| last |')
    const text = 'its downlink | carried'
    const last: RunReport['last'] = { server: 'deploy@c', behind: 3.1, cause: 'link', text, chain: [] }
    expect(ciSummary({ ...report, last })).toContain(
      '| last | deploy\\@c, 3.1 s after the median: its downlink \\| carried |',
    )
  })

  it('is bounded for any number of servers', () => {
    const servers = Array.from({ length: 2000 }, (_, at) => ({
      ...failed,
      server: `s${at}${'x'.repeat(5000)}`,
    }))
    expect(ciSummary({ ...report, servers }).length).toBeLessThan(60_000)
    expect(annotations({ ...report, servers }).split('\n')).toHaveLength(11)
  })
})

it('a long cause leaves room for what to do, and nothing is longer than anybody reads', () => {
  const long = (text: string): RunReport['servers'][number] => ({
    ...failed,
    server: text,
    failure: { step: 'transfer', cause: text, cure: 'free 2 MiB' },
  })
  const hostile = { ...report, error: '|'.repeat(1e5), servers: Array(100).fill(long('&'.repeat(1e4))) }
  expect(ciSummary(hostile)).toContain('… — free 2 MiB |')
  expect(Buffer.byteLength(ciSummary(hostile))).toBeLessThan(1024 ** 2)
  expect(annotations(hostile)).toContain('… — free 2 MiB\n')
  expect(annotations(hostile).length).toBeLessThan(10 * 1000)
})

it('annotations are one line each, whatever a server says', () => {
  expect(annotations(report)).toBe(
    '::error title=deploy@b%3A transfer::no | room, <b>50%25</b> ::error:: — free 2 MiB\n',
  )
})

describe('writeReport', () => {
  it('writes where the environment says, adds to what is there, and says what could not be written', () => {
    const log = vi.fn()
    const summary = join(directory, 'summary.md')
    writeFileSync(summary, 'before\n')
    writeReport({ log } as unknown as Shipit, report, {
      MURDER_REPORT: join(directory, 'missing', 'x'),
      MURDER_METRICS: join(directory, 'run.prom'),
      GITHUB_STEP_SUMMARY: summary,
    })
    expect(readFileSync(join(directory, 'run.prom'), 'utf8')).toBe(metricsText(report))
    expect(readFileSync(summary, 'utf8')).toBe(`before\n${ciSummary(report)}`)
    expect(readdirSync(directory).sort()).toEqual(['run.prom', 'summary.md'])
    expect(log).toHaveBeenCalledOnce()
    expect(log.mock.calls[0]?.[0]).toMatch(/^MURDER_REPORT could not be written: .*ENOENT/)
  })
})
