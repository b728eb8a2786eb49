import { expect, it } from 'vitest'
import { loadSettings } from '../../../../src/config/load.ts'
import { agentError } from '../../../../src/deploy/hosts/agent-error.ts'

const settings = (file: object = {}) =>
  loadSettings({ file, env: {}, deployTo: '/srv/app', servers: ['a', 'b'] }).settings
const failed = (code: string) =>
  ({ event: 'failed', code, message: 'it failed', cure: 'try --port', exitCode: 3 }) as const

it('names the settings that help where the deploy host cannot be reached', () => {
  const local = agentError(
    failed('NOT_CONNECTED'),
    settings({ tracker: { port: 9000 }, ports: [7000, 7010] }),
  )
  expect(local).toMatchObject({ code: 'NOT_CONNECTED', message: 'it failed', exitCode: 3 })
  for (const word of ['murder.announce', 'murder.seeder', '9000', '7000-7010'])
    expect(local.cure).toContain(word)
  expect(agentError(failed('NOT_CONNECTED'), settings({ seeder: 'a' })).cure).not.toContain('murder.seeder')
})

it('speaks of the load, and of no address, where a server is served through SSH', () => {
  const error = agentError(failed('NOT_CONNECTED'), settings(), { isRelayed: true })
  expect(error).toMatchObject({ message: 'nothing came through its SSH connection in 60 s', exitCode: 3 })
  expect(error.cure).toMatch(/uptime.* or a firewall .*"BitTorrent protocol" on loopback/)
  expect(error.cure).toMatch(/has too much to do .*murder\.timeouts\.stall/)
})

it('names the machine that seeds where nothing moves', () => {
  expect(agentError(failed('STALLED'), settings()).cure).toContain('the deploy host')
  expect(agentError(failed('STALLED'), settings({ seeder: 'a' })).cure).toMatch(/between this server and a, /)
})

it('offers no option of a command line that nobody has typed', () => {
  for (const code of [
    'NOT_CONNECTED',
    'STALLED',
    'TIMED_OUT',
    'PORT_TAKEN',
    'NO_PORT',
    'DISK_FULL',
    'DIED',
    'TAG_TAKEN',
  ])
    expect(agentError(failed(code), settings()).cure).not.toContain('--')
})

it('offers another place for packages only where packages did not fit', () => {
  expect(agentError(failed('DISK_FULL'), settings()).cure).toContain('murder.temporaryPath')
  expect(agentError({ ...failed('DISK_FULL'), step: 'unpack' }, settings()).cure).not.toContain('murder.')
})

it('keeps what it knows nothing better for', () => {
  expect(agentError(failed('PACKAGE_WRONG'), settings()).cure).toBe('try --port')
})

it('says something also where the agent does not', () => {
  const error = agentError({ event: 'failed', exitCode: 'x', cure: 7 } as never, settings())
  expect(error).toMatchObject({ code: 'FAILED', exitCode: 1, message: expect.stringMatching(/^it failed/) })
  expect(error.cure).toBeUndefined()
})
