import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { embedded } from '../support/harness/deploy-embedded.ts'

/** A webhook that is busy at first, and what it got once it was not. */
async function webhook(busy: number) {
  const got: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as Record<string, unknown>
    if (busy-- > 0) return void response.writeHead(503).end()
    got.push({ ...body, url: request.url })
    response.end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/hunter2` }
}

test('others are told of what has happened, again where that fails, and no secret is anywhere', async () => {
  const { got, url } = await webhook(1)
  const it = await embedded(1)
  const file = join(it.project.root, 'told')
  const murder = { linger: 0, healthCheck: '! grep -q broken file', notify: { command: `cat >>'${file}'` } }
  it.configure({ murder })
  const env = { MURDER_NOTIFY_URL: url }
  const run = async (content: string, task = 'deploy') => {
    writeFileSync(join(it.project.workspace, 'file'), content)
    return it.project.run(task, env)
  }
  const events = () => got.map(({ event }) => event).sort()
  const first = await run('one')
  expect(first, first.stdout).toMatchObject({ code: 0 })
  await expect.poll(events, { timeout: 30_000 }).toEqual(['published', 'started'])
  const published = got.find(({ event }) => event === 'published')
  expect(published).toMatchObject({
    url: '/services/hunter2',
    environment: 'test',
    release: it.current()[0]?.slice(9),
    servers: 1,
    published: 1,
    error: null,
    text: expect.stringMatching(/^test: \d{14} published \(1 server, by .+@.+\)$/),
  })

  const second = await run('broken')
  expect(second.code).toBe(1)
  await expect.poll(events, { timeout: 30_000 }).toHaveLength(5)
  expect(events().slice(0, 3)).toEqual(['failed', 'published', 'reverted'])
  const failed = got.find(({ event }) => event === 'failed')
  expect(failed).toMatchObject({
    published: 0,
    error: '1 of 1 server failed: every server has what it had before',
  })
  expect(failed?.release).not.toBe(published?.release)

  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).event)).toEqual(expect.arrayContaining(['failed', 'reverted']))

  const config = await it.project.run('murder:config', { ...env, MURDER_OUTPUT: 'json' })
  const shown = await it.project.run('murder:config', env)
  expect(shown.stdout).toMatch(/notify\.url +http:\/\/127\.0\.0\.1:\d+\/\*\*\*/)
  const wrong = await it.project.run('murder:config', { MURDER_NOTIFY_URL: 'hunter2' })
  expect(wrong.stdout).toContain('MURDER_NOTIFY_URL (murder.notify.url) is ***: allowed: an address')
  const logs = join(it.project.directory, '.shipit-murder/logs')
  const kept = readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8'))
  for (const text of [first, second, config, shown, wrong]
    .map(({ stdout, stderr }) => stdout + stderr)
    .concat(kept))
    expect(text).not.toContain('hunter2')
})

test('a webhook that is not there holds nothing up, and a file says so', async () => {
  const it = await embedded(1)
  it.configure({ murder: { linger: 0, notify: { command: 'exit 3', on: ['started'] } } })
  writeFileSync(join(it.project.workspace, 'file'), 'one')
  const run = await it.project.run()
  expect(run, run.stdout).toMatchObject({ code: 0 })
  const failures = join(it.project.directory, '.shipit-murder/logs/notify.txt')
  await expect
    .poll(() => existsSync(failures) && readFileSync(failures, 'utf8'), { timeout: 40_000, interval: 500 })
    .toContain('murder.notify.command ended with exit code 3')
})

test('a rollback says where it goes, and a report has no secret either', async () => {
  const it = await embedded(1)
  const told = join(it.project.root, 'told')
  const report = join(it.project.root, 'report.json')
  const check = `echo asked "$MURDER_NOTIFY_URL"; test ! -e '${told}.no'`
  it.configure({
    murder: { linger: 0, notify: { command: `cat >>'${told}'` }, rollout: { local: { check } } },
  })
  const { url } = await webhook(0)
  const env = { MURDER_NOTIFY_URL: url, MURDER_REPORT: report }
  for (const content of ['one', 'two']) {
    writeFileSync(join(it.project.workspace, 'file'), content)
    expect((await it.project.run('deploy', env)).code).toBe(0)
  }
  const [live] = it.current()
  expect((await it.project.run('rollback', env)).code).toBe(0)
  const texts = () => readFileSync(told, 'utf8')
  await expect.poll(texts, { timeout: 30_000 }).toMatch(/test: rolled back to \d{14} \(/)
  await expect.poll(texts, { timeout: 30_000 }).toContain('test: is being rolled back (')
  expect(JSON.parse(readFileSync(report, 'utf8')).previousRelease).toBe(live?.slice(9))

  writeFileSync(`${told}.no`, '')
  // Also where there is nothing to tell.
  expect((await it.project.run('deploy', { ...env, MURDER_NOTIFY_ON: 'rolledBack' })).code).toBe(1)
  const { error } = JSON.parse(readFileSync(report, 'utf8'))
  expect(error).toContain('asked ***')
})
