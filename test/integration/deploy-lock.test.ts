import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ownIdentity } from '../../src/system/process-identity.ts'
import { embedded } from '../support/harness/deploy-embedded.ts'

test('a deploy that has waited for the lock of another one knows what that one has published', async () => {
  const { fleet, project, app, configure, current } = await embedded(2)
  const apps = [app(0), app(1)]
  writeFileSync(join(project.workspace, 'file'), 'content')
  expect(await project.run()).toMatchObject({ code: 0 })
  const first = readlinkSync(join(app(0), 'current'))

  // This process is the other deploy. Who asks a server anything has it run Node first.
  const { pid, start } = ownIdentity()
  const owner = { id: '1', kind: 'deploy', who: 'somebody', what: 'a deploy', when: '', process: '' }
  const lock = `${['1', 'deploy', JSON.stringify(owner), '1', `${pid} ${start}`].join('\n')}\n`
  for (const path of apps) writeFileSync(join(path, 'shared/murder/lock'), lock)
  const asked = fleet.servers.map(({ home }) => join(home, 'asked'))
  for (const { home } of fleet.servers) {
    writeFileSync(join(home, 'node'), `#!/bin/sh\n: >'${home}/asked'\nexec '${process.execPath}' "$@"\n`)
    chmodSync(join(home, 'node'), 0o755)
  }
  configure({ murder: { node: join(fleet.home, 'node') } })
  const running = project.start()
  await expect
    .poll(() => asked.every((file) => existsSync(file)), { interval: 20, timeout: 20_000 })
    .toBe(true)
  await delay(500) // It has the whole answer, and looks at the lock again and again.

  const second = '20990101000000'
  for (const path of apps) {
    cpSync(join(path, first), join(path, 'releases', second), { recursive: true })
    symlinkSync(`releases/${second}`, join(path, 'next'))
    renameSync(join(path, 'next'), join(path, 'current'))
  }
  for (const path of apps) rmSync(join(path, 'shared/murder/lock'))
  expect(await running.ended).toMatchObject({ code: 0 })
  expect(project.seen().at(-1)).toMatchObject({ previousRelease: second })
  const [third = ''] = current()
  expect(third > `releases/${second}`).toBe(true)
  expect(readFileSync(join(app(1), third, 'file'), 'utf8')).toBe('content')
})

test('a deploy whose lock was broken publishes nothing over a deploy that has come and gone meanwhile', async () => {
  const { project, app, configure, current } = await embedded(2)
  const [waits, goes] = [join(project.root, 'waits'), join(project.root, 'goes')]
  // Another plugin's task, of the first deploy only.
  const after = `
    const { existsSync, writeFileSync } = require('node:fs')
    if (process.env.IS_FIRST) shipit.on('updated', () => {
      writeFileSync(${JSON.stringify(waits)}, '')
      while (!existsSync(${JSON.stringify(goes)})) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
    })`
  configure({}, { after })
  writeFileSync(join(project.workspace, 'file'), 'older')
  const first = project.start('deploy', { IS_FIRST: '1' })
  await expect.poll(() => existsSync(waits), { interval: 20, timeout: 20_000 }).toBe(true)
  const clean = await project.run('deploy:clean')
  expect(clean).toMatchObject({ code: 1, stdout: expect.stringContaining('locked by') })
  expect(await project.run('murder:unlock')).toMatchObject({ code: 0 })
  writeFileSync(join(project.workspace, 'file'), 'newer')
  expect(await project.run()).toMatchObject({ code: 0 })
  const now = current()
  writeFileSync(goes, '')
  const { code } = await first.ended
  expect(code).toBe(1)
  expect(first.output.replace(/\s+/g, ' ')).toContain('somebody else has taken the lock meanwhile')
  expect(current()).toEqual(now)
  expect(readFileSync(join(app(1), 'current/file'), 'utf8')).toBe('newer')
})

test('a command that a listener leaves running keeps no lock, and people are told of it', async () => {
  const { project, app, configure } = await embedded(2)
  configure({}, { after: "shipit.on('published', () => void shipit.remote('sleep 600'))" })
  writeFileSync(join(project.workspace, 'file'), 'content')
  const running = project.start()
  await expect
    .poll(() => running.output.replace(/\s+/g, ' '), { interval: 50, timeout: 40_000 })
    .toMatch(/Waiting until commands .* end: .*sleep 600/)
  for (const at of [0, 1]) expect(existsSync(join(app(at), 'shared/murder/lock'))).toBe(false)
  process.kill(running.child.pid ?? 0, 'SIGHUP')
  expect(await running.ended).toMatchObject({ code: 130 })
})
