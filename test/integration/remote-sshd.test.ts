import { afterEach, expect, test } from 'vitest'
import { Fleet } from '../../src/remote/fleet.ts'
import { poolOf } from '../support/pool.ts'
import { describeIf, type Sshd, sshdMissing, startSshd } from '../support/sshd.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function sshd(options = {}): Promise<Sshd> {
  const started = await startSshd(options)
  cleanups.push(started.stop)
  return started
}

function fleetOf(servers: Sshd[], options = {}): Fleet {
  const fleet = new Fleet(poolOf(servers, { key: servers[0]?.key ?? '' }), options)
  cleanups.push(() => fleet.close())
  return fleet
}

describeIf(sshdMissing, 'a fleet of real sshd servers', () => {
  test('all commands of a server share one login', async () => {
    const server = await sshd()
    const fleet = fleetOf([server])
    for (let n = 0; n < 3; n++) {
      const t = performance.now()
      const [outcome] = await fleet.run('try', () => ({ script: 'echo hello; cat', stdin: 'payload' }))
      console.log(performance.now() - t)
      expect(outcome).toMatchObject({ ok: true, stdout: 'hello\npayload' })
    }
    const t = performance.now()
    await fleet.close()
    console.log('close', performance.now() - t)
    expect(server.logins()).toBe(1)
  })
})
