import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { embedded } from '../support/harness/deploy-embedded.ts'

test('murder:history shows what is live where, and who differs', async () => {
  const it = await embedded(2, { murder: { linger: 0 } })
  const [first, second] = it.fleet.servers.map(({ user, host, port }) => `${user}@${host}:${port}`)
  writeFileSync(join(it.project.workspace, 'file'), 'one')
  expect((await it.project.run()).code).toBe(0)
  const same = await it.project.run('murder:history')
  expect(same, same.stdout).toMatchObject({ code: 0 })
  expect(same.stdout).toContain('All servers have the same release live.')
  expect(same.stdout).toMatch(/live +\d{14} +all 2/)

  expect((await it.project.run('deploy', { MURDER_ONLY: second as string })).code).toBe(0)
  const apart = await it.project.run('murder:history', { MURDER_DRY_RUN: '1' })
  expect(apart.stdout).toMatch(/1 server has another release live than \d{14}: /)
  const json = await it.project.run('murder:history', { MURDER_OUTPUT: 'json' })
  const line = json.stdout.split('\n').find((text) => text.startsWith('{"event":"history"'))
  const { servers, events } = JSON.parse(line ?? '{}')
  expect(
    servers.map(({ server, live }: { server: string; live: string }) => [server, `releases/${live}`]),
  ).toEqual([
    [first, it.current()[0]],
    [second, it.current()[1]],
  ])
  expect(events.at(-1)).toMatchObject({ event: 'live', servers: [second] })
})
