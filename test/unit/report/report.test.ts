import { expect, test } from 'vitest'
import { MurderError } from '../../../src/errors.ts'
import { type DeployReport, reportTable } from '../../../src/report/deploy-report.ts'
import { reportEvent } from '../../../src/report/events.ts'
import { groupFailures } from '../../../src/report/failure-groups.ts'
import { failureOf, failureTable } from '../../../src/report/failures.ts'
import { outputMode, wantsColour } from '../../../src/report/output.ts'
import { RunRecord } from '../../../src/report/run-record.ts'
import type { ServerRecord } from '../../../src/report/server-record.ts'
import type { ServerReport } from '../../../src/report/server-report.ts'
import { TestStream } from './stand-ins.ts'

const MiB = 1024 ** 2

const good: DeployReport = {
  size: 27 * MiB,
  packaged: true,
  servers: 3,
  phases: { publish: 0.31, check: 0.8, package: 1.25, transfer: 6.32, unpack: 1 },
  seconds: 9.7,
  perServer: [
    { server: 'deploy@b', seconds: 6.3, received: 27 * MiB },
    { server: 'deploy@a', seconds: 5.4, received: 27 * MiB },
    { server: 'deploy@c', seconds: 6, received: 27 * MiB },
  ],
  seederUploaded: 30 * MiB,
  failures: [],
  between: 'direct',
}

test('the report of a deploy that went well', () => {
  expect(`${reportTable(good, 100)}\n`).toBe(
    `\
size         27.0 MiB
servers      3 of 3 done
check        0.80 s
package      1.3 s
transfer     6.3 s
unpack       1 s
publish      0.31 s
in all       9.7 s
fastest      deploy@a, 5.4 s, 5.0 MiB/s
slowest      deploy@b, 6.3 s, 4.3 MiB/s
seeder sent  30.0 MiB, 1.11 times the size
`,
  )
})

test('where no package was made, the size is that of the files', () => {
  const text = reportTable({ ...good, packaged: false }, 100)
  expect(text).toContain('size         27.0 MiB of files, no package was made\n')
})

test('the speed of what came over the network', () => {
  const perServer = [
    { server: 'a', seconds: 2, received: MiB },
    { server: 'b', seconds: 3, received: 27 * MiB },
  ]
  const text = reportTable({ ...good, perServer }, 100)
  expect(text).toContain('\nfastest      a, 2 s, 512 KiB/s\n')
  const record = new RunRecord([{ label: 'a', host: 'a', port: 22 }], () => 0)
  record.take({ event: 'server', server: 'a', phase: 'transfer', bytes: 0, total: 1 })
  record.transferred(perServer[0] as ServerReport)
  record.take({ event: 'server', server: 'a', phase: 'unpack', bytes: 0, total: 1 })
  expect(record.server('a')?.steps.transfer).toBe(2)
  expect(record.server('a')?.rate).toBe(reportEvent({ ...good, perServer }).fastest?.rate)
})

test('servers that are closed to each other are named, with the cure', () => {
  const each = (server: string, fromSeeder: number, sent: number) => ({
    ...{ server, seconds: 1, received: 27 * MiB, fromSeeder, sent },
  })
  const text = (...perServer: ReturnType<typeof each>[]) => reportTable({ ...good, perServer }, 200)
  const all = ['a', 'b', 'c'].map((name) => each(name, 27 * MiB, 0))
  expect(text(...all)).toMatch(/\nclosed +a, b, c exchanged nothing .*murder.ports/)
  expect(text(...all.slice(0, 2), each('c', 20 * MiB, 7))).toMatch(/\nclosed +a, b exchanged/)
  expect(text(each('a', 27 * MiB, 20), each('b', 7 * MiB, 0))).not.toContain('closed')
  expect(text(each('a', 27 * MiB, 0))).not.toContain('closed')
  expect(text(...all)).toContain('set murder.between to auto')
  expect(reportTable({ ...good, perServer: all, between: 'auto' }, 200)).not.toContain('murder.between')
})

test('the last server is named with its cause, whatever its name holds', () => {
  const last = {
    server: 'web7\u001b[2J\nroot',
    behind: 3.14,
    cause: 'link',
    text: 'its downlink carried 24 Mbit/s, others 50',
    chain: [],
  } as const
  const text = reportTable({ ...good, last: { ...last, chain: [] } }, 100)
  expect(text).toContain(
    '\nlast         web7 root, 3.1 s after the median: its downlink carried 24 Mbit/s, others 50\n',
  )
  expect(reportTable(good, 100)).not.toContain('\nlast ')
  expect(reportEvent(good).last).toBeNull()
})

test('one server is its own fastest; none is no server; nothing is divided by nothing', () => {
  const one = reportTable({ ...good, servers: 1, perServer: good.perServer.slice(0, 1) }, 100)
  expect(one).toContain('fastest')
  expect(one).not.toContain('slowest')
  const run = { size: 0, packaged: true, servers: 2, phases: {} }
  const none: DeployReport = { ...run, perServer: [], seederUploaded: 0, failures: [], between: 'direct' }
  expect(reportTable(none, 100)).toBe(
    'size         0 B\nservers      0 of 2 done\nseeder sent  0 B, 0.00 times the size',
  )
  expect(reportEvent(none)).toMatchObject({ fastest: null, slowest: null, seconds: null, seederRatio: 0 })
})

const failures = [
  {
    server: 'deploy@b',
    step: 'check',
    cause: 'Node.js v18.19.0 is too old: 20.19 or newer is needed',
    cure: 'install a newer one, or say where it is with the setting node',
  },
  { server: 'deploy@c.example.com:2222', step: 'transfer', cause: 'no progress for 60 s' },
]

test('the table of failures, on a wide terminal', () => {
  expect(`${failureTable(failures, 200)}\n`).toBe(
    `\
server                     step      cause                                                  cure
deploy@b                   check     Node.js v18.19.0 is too old: 20.19 or newer is needed  install a newer one, or say where it is with the setting node
deploy@c.example.com:2222  transfer  no progress for 60 s
`,
  )
})

test('… wrapped', () => {
  expect(`${failureTable(failures, 100)}\n`).toBe(
    `\
server                     step      cause                         cure
deploy@b                   check     Node.js v18.19.0 is too old:  install a newer one, or say
                                     20.19 or newer is needed      where it is with the setting
                                                                   node
deploy@c.example.com:2222  transfer  no progress for 60 s
`,
  )
})

test('… stacked where it is narrow', () => {
  expect(`${failureTable(failures, 60)}\n`).toBe(
    `\
deploy@b: check
  cause  Node.js v18.19.0 is too old: 20.19 or newer is
         needed
  cure   install a newer one, or say where it is with the
         setting node
deploy@c.example.com:2222: transfer
  cause  no progress for 60 s
`,
  )
})

test('servers that fail in the same way share a row', () => {
  const fleet = Array.from({ length: 9 }, (_, index) => ({
    server: `deploy@web${index}.example.com:2222`,
    step: 'check',
    cause: 'refused the login',
    cure: `this must work: ssh -i key -p 2222 deploy@web${index}.example.com`,
  }))
  const all = [...fleet, ...failures]
  const text = failureTable(all, 200)
  expect(text.match(/refused the login/g)).toHaveLength(1)
  expect(text).toMatch(
    / refused the login \(the others likewise\) +this must work: ssh -i key -p 2222 deploy@web0.example.com$/m,
  )
  expect(text).toMatch(/^and 5 more$/m)
  expect(text).toContain('too old')
  expect(failureTable(all, 60)).toMatch(/^and 5 more: check$/m)
  expect(groupFailures(all).map(({ servers }) => servers.length)).toEqual([9, 1, 1])
})

test.each([
  [
    'this must work:',
    'ssh -o BatchMode=yes -p 2222 -i config/keys/deploy -o ProxyJump=jump@bastion.example.com,b me@web1.example.com',
  ],
  [
    'ask them, or break the lock:',
    'npx shipit --shipitfile ops/shipitfile.js production-eu-west-1 murder:unlock',
  ],
  [
    'run',
    'MURDER_TAG=v1.2 npx shipit production murder:create_torrent and many more words for a line that is too long',
  ],
  [
    'if you know why, run:',
    "ssh-keygen -f /srv/secrets/of-the-project/known_hosts -R '[web1.example.com]:2222'",
  ],
])('%s …: the command stays on a line of its own, to be pasted', (before, command) => {
  const failure = (server: string) => ({ server, step: 'check', cause: 'no', cure: `${before} ${command}` })
  for (const columns of [60, 80, 100, 120]) {
    const lines = failureTable([failure('deploy@web1.example.com:2222'), ...failures], columns).split('\n')
    expect(lines.find((line) => line.endsWith(command))?.slice(0, -command.length)).toMatch(
      /^( +cure)? +(\S.* )?$/,
    )
  }
})

test('what differs in more than the name of the server stays apart', () => {
  const each = (server: string, cause: string) => ({ server, step: 'check', cause })
  const same = groupFailures([each('deploy@a1:1', 'port 1'), each('deploy@a2:2', 'port 2')])
  expect(same).toHaveLength(1)
  expect(groupFailures([each('deploy@a1', '3 MiB free'), each('deploy@a2', '4 MiB free')])).toHaveLength(2)
  expect(groupFailures([each('a', 'x'), { ...each('b', 'x'), step: 'unpack' }])).toHaveLength(2)
})

test.each([60, 80, 100])('the whole report, at %d columns, breaks no word and is not wider', (columns) => {
  const record = (index: number): ServerRecord => ({
    server: `deploy@production-web-${index}.datacenter-1.example.com:2222`,
    address: 'x:22',
    outcome: 'done',
    published: true,
    steps: { transfer: 123.4, unpack: 61.2 },
    received: 27 * MiB,
    fromSeeder: 123 * MiB,
    fromPeers: 999 * MiB,
    sent: 999 * MiB,
    rate: 99 * MiB,
    retries: 12,
  })
  const records = [record(1), record(22)]
  const perServer = records.map(({ server }) => ({ server, seconds: 5.4, received: 27 * MiB }))
  const lines = reportTable({ ...good, perServer, records }, columns).split('\n')
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns)
  const row = lines.find((line) => line.includes('…') && line.includes('done')) ?? ''
  expect(row).toMatch(/^deploy@p\S*…\S*m:2222 +done +2 min 03 s/)
})

test.each([40, 60, 80, 100, 133])('no line is longer than %d columns', (columns) => {
  const long = { server: 'a', step: 'unpack', cause: 'x'.repeat(300), cure: 'y '.repeat(150) }
  for (const line of failureTable([...failures, long], columns).split('\n'))
    expect(line.length).toBeLessThanOrEqual(columns)
})

test('a report with failures ends with the names of these servers', () => {
  const report = { ...good, perServer: good.perServer.slice(0, 1), failures }
  const text = reportTable(report, 60)
  expect(text).toMatch(
    /times the size\n\n2 of 3 servers failed, as the table above says: deploy@b,\ndeploy@c.example.com:2222$/,
  )
  expect(text).not.toContain('too old')
  expect(reportTable(report, 60, true)).toContain('\u001b[31m2 of 3 servers failed')
  expect(reportEvent(report)).toMatchObject({ servers: 3, done: 1, failures })
})

test('control characters in a cause do not reach the terminal', () => {
  const text = failureTable([{ server: 'a', step: 'check', cause: 'bad\u001b[2J\nthing\u0007' }], 100)
  expect(text.split('\n').at(-1)).toBe('a       check  bad thing')
})

test('failureOf takes what the error knows', () => {
  const error = new MurderError('NODE_TOO_OLD', 'too old', { server: 'b', step: 'check', cure: 'update' })
  expect(failureOf('a', error, 'transfer')).toEqual({
    server: 'b',
    step: 'check',
    cause: 'too old',
    cure: 'update',
  })
  expect(failureOf('a', new Error('boom'), 'unpack')).toEqual({ server: 'a', step: 'unpack', cause: 'boom' })
})

test.each([
  [{}, true, 'terminal'],
  [{}, false, 'plain'],
  [{ TERM: 'dumb' }, true, 'plain'],
  [{ MURDER_OUTPUT: 'json' }, true, 'json'],
  [{ MURDER_OUTPUT: 'text' }, false, 'plain'],
  [{ MURDER_OUTPUT: '' }, true, 'terminal'],
])('output with %j, terminal %s: %s', (env, isTTY, mode) => {
  expect(outputMode(env, Object.assign(new TestStream(), { isTTY }))).toBe(mode)
})

test('an output that does not exist', () => {
  expect(() => outputMode({ MURDER_OUTPUT: 'xml' }, new TestStream())).toThrow(
    expect.objectContaining({
      code: 'SETTINGS',
      exitCode: 2,
      message: 'MURDER_OUTPUT is "xml": allowed: text, json',
    }),
  )
})

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ TERM: 'dumb' }, true, false],
])('colour with %j, terminal %s: %s', (env, isTTY, colour) => {
  expect(wantsColour(env, Object.assign(new TestStream(), { isTTY }))).toBe(colour)
})
