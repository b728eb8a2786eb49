import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LocalChild } from '../../../../src/fleet/ssh/local-process.ts'
import { runSession, type SessionOrder } from '../../../../src/fleet/ssh/session.ts'

/** Runs a script over a local shell in the place of ssh. */
const run = (order: Partial<SessionOrder>) =>
  runSession({
    ...{ commandLine: `sh -c 'IFS= read -r s && eval "$s"'`, script: 'true' },
    ...{ limits: { connect: 20, stall: 20, total: 20 }, maxOutputBytes: 1 << 20 },
    route: () => Promise.reject(new Error('not asked for')),
    ...order,
  })

test('what a script prints within its limits comes as lines', async () => {
  const lines: string[] = []
  const result = await run({ script: 'echo a; echo b', onLine: (line) => lines.push(line) })
  expect(result).toMatchObject({ exitCode: 0, started: true })
  expect(lines).toEqual(['a', 'b'])
})

test.each([
  [
    'ssh: connect to host web1 port 22: Connection timed out',
    { why: 'connect', seconds: 0.2, route: { turns: 1 } },
  ],
  ['Connection timed out during banner exchange', { why: 'connect', seconds: 0.2, route: { turns: 1 } }],
  ['ssh: connect to host web1 port 22: Connection refused', undefined],
])('ssh that gives up just when its time is over: %s', async (said, expected) => {
  const result = await run({
    commandLine: `sh -c "sleep 0.4; echo '${said}' >&2; exit 255"`,
    limits: { connect: 0.2, stall: 20, total: 20 },
    // Here the time is over, but the answer comes only after the end of ssh.
    route: () => setTimeout(800, { turns: 1 }),
  })
  expect(result.stderr).toBe(`${said}\n`)
  expect(result.stop).toEqual(expected)
})

test('what was printed at the end is read, however late on a busy machine', async () => {
  const child = new LocalChild(`sh -c '(sleep 0.3; echo late >&2) & exit 3'`)
  let said = ''
  child.process.stderr.on('data', (chunk) => {
    said += chunk
  })
  child.process.once('exit', () => {
    const until = performance.now() + 1300
    while (performance.now() < until);
  })
  await child.ended
  expect(said).toBe('late\n')
})

test.each([
  ['lines', 'yes', '>&1'],
  ['one line', `tr '\\\\0' x </dev/zero`, '>&1'],
  ['lines on standard error', 'yes', '>&2'],
])('a login shell that prints endless %s ends the session', async (_what, command, where) => {
  const result = await run({ commandLine: `sh -c "${command} ${where}"` })
  expect(result).toMatchObject({ started: false, stop: { why: 'output' } })
})

test.each([
  ['lines', 'yes'],
  ['one line', `tr '\\0' x </dev/zero`],
  ['lines on standard error', 'yes >&2'],
])('a script that prints endless %s ends the session, and few of them are read', async (_what, script) => {
  let length = 0
  const onLine = (line: string) => {
    length += line.length + 1
  }
  const result = await run({ script, onLine })
  expect(result).toMatchObject({ started: true, stop: { why: 'output' } })
  expect(length).toBeLessThan(3 << 20)
})
