import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { clientVersion } from '../../src/fleet/ssh/client-version.ts'
import { Project } from '../support/harness/deploy-project.ts'
import { killAll } from '../support/processes.ts'
import { describeIf, sshdMissing, startSshd } from '../support/sshd.ts'

const isOld = clientVersion() < 9.2 ? 'OpenSSH 9.2 is the first that closes idle channels' : undefined

/** A project with one server, whose sshd closes channels that are idle for 3 s. */
async function impatient() {
  const it = new Project()
  const server = await startSshd({ config: ['ChannelTimeout session:command=3s'] })
  onTestFinished(async () => {
    await server.stop()
    killAll(it.root)
    it.remove()
  })
  const { host, port, user, extraSshOptions } = server
  const app = join(it.root, 'app')
  const config = { servers: { host, port, user, extraSshOptions }, key: server.key, deployTo: app }
  writeFileSync(join(it.workspace, 'file'), 'first')
  return { it, server, app, config }
}

describeIf(sshdMissing ?? isOld, 'an sshd that closes idle channels', () => {
  test('lets no second deploy begin, nor does a connection that breaks', async () => {
    const { it, server, app, config } = await impatient()
    const goes = join(it.root, 'goes')
    const after = `
      const { existsSync } = require('node:fs')
      const wait = (done) => (existsSync(${JSON.stringify(goes)}) ? done() : setTimeout(wait, 50, done))
      shipit.blTask('pause', () => new Promise(wait))
      if (process.env.IS_FIRST) shipit.on('updated', () => shipit.start('pause'))`
    it.configure(config, { after })
    const first = it.start('deploy', { IS_FIRST: '1' })
    await first.said(/Running 'pause'/)
    const lock = join(app, 'shared/murder/lock')
    for (let look = 0; look < 120; look++) {
      expect(existsSync(lock)).toBe(true)
      await delay(50)
    }
    expect(server.log()).not.toContain('closing after')
    server.disconnect()
    await expect.poll(() => existsSync(lock), { timeout: 10_000 }).toBe(false)
    await expect.poll(() => existsSync(lock), { timeout: 10_000 }).toBe(true)
    const second = await it.run()
    expect(second).toMatchObject({ code: 1, stdout: expect.stringContaining('is locked by') })
    writeFileSync(goes, '')
    expect(await first.ended).toMatchObject({ code: 0 })
    expect(readFileSync(join(app, 'current/file'), 'utf8')).toBe('first')
  })

  test('lets a silent health check end', async () => {
    const { it, server, config } = await impatient()
    it.configure({ ...config, murder: { healthCheck: 'sleep 8; read -r x && exit 1 || true' } })
    expect(await it.run()).toMatchObject({ code: 0 })
    expect(server.log()).not.toContain('closing after')
  })
})
