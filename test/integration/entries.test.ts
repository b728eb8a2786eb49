import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ServerEntry } from '../../src/shipit.ts'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'

/** Three servers: web1 and web2, of which web2 is also db, and a third without a role. */
async function threeServers(
  code: { after?: string; before?: string } = {},
  more: (entries: ServerEntry[], it: Embedded) => void = () => {},
): Promise<Embedded> {
  const it = await embedded(3)
  const entries: ServerEntry[] = it.fleet.remotes.map((remote) => ({ ...remote }))
  Object.assign(entries[0] ?? {}, { label: 'web1', roles: ['web'], env: { KEY: "it's one" } })
  Object.assign(entries[1] ?? {}, { label: 'web2', roles: ['web', 'db'], env: { KEY: 'hunter2' } })
  more(entries, it)
  it.configure({ servers: entries, murder: { linger: 0 } }, code)
  writeFileSync(join(it.project.workspace, 'file'), 'one')
  return it
}

const isLive = (it: Embedded) => it.current().map((link) => link !== undefined)

test('roles, only and except choose who is deployed to, also for commands of the shipitfile', async () => {
  const it = await threeServers({
    after: `shipit.on('updated', () => void shipit.remote('touch asked').catch(() => {}))`,
  })
  const asked = () => [0, 1, 2].map((index) => existsSync(join(it.app(index), '../asked')))
  const first = await it.project.run('deploy', { MURDER_ROLES: 'db' })
  expect(first, first.stdout + first.stderr).toMatchObject({ code: 0 })
  expect(isLive(it)).toEqual([false, true, false])
  expect(asked()).toEqual([false, true, false])
  expect(first.stdout).toMatch(/fastest +web2/)
  expect((await it.project.run('deploy', { MURDER_ROLES: 'web', MURDER_EXCEPT: 'web2' })).code).toBe(0)
  expect(asked()).toEqual([true, true, false])

  for (const [variable, value, line] of [
    [
      'MURDER_ROLES',
      'webs',
      'MURDER_ROLES (murder.roles) has "webs", which no server has: did you mean web? ',
    ],
    [
      'MURDER_ONLY',
      'web',
      'MURDER_ONLY (murder.only) has "web", which is not in servers: did you mean web1? ',
    ],
    ['MURDER_EXCEPT', 'web1,web2,127.0.0.4', 'No server is left by MURDER_EXCEPT'],
    ['MURDER_ROLES', ',', 'MURDER_ROLES (murder.roles) is ",": allowed: a list of roles'],
    ['MURDER_ONLY', ' , ', 'MURDER_ONLY (murder.only) is " , ": allowed: a list of servers'],
    ['MURDER_EXCEPT', ',', 'MURDER_EXCEPT (murder.except) is ",": allowed: a list of servers'],
  ] as const) {
    const run = await it.project.run('deploy', { [variable]: value })
    expect(run.code, run.stdout).toBe(2)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(/^[^\n]*\n$/)
    expect(run.stderr).toContain(line)
    expect(isLive(it)).toEqual([true, true, false])
  }
})

test('an entry without a host is named in one line, before Shipit fails by it', async () => {
  const it = await threeServers({}, (entries) => Reflect.deleteProperty(entries[1] ?? {}, 'host'))
  const run = await it.project.run()
  expect(run, run.stdout).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(/^servers\[1\] is an object with [^\n]*: allowed: 'user@host'[^\n]*\n$/)
  expect(run.stderr).not.toContain('hunter2')
})

test('shipit.murder.servers() runs commands with the values of each server, which no argument list shows', async () => {
  const it = await threeServers({
    after: `
  shipit.blTask('look', async () => {
    const pool = shipit.murder.servers({ role: 'web' })
    const show = 'echo "$MURDER_HOST|$MURDER_ROLES|$MURDER_RELEASE|$KEY"; for p in /proc/[0-9]*; do tr "\\\\0" " " <$p/cmdline; done 2>/dev/null | grep "hunter[2]" >found; true'
    const results = await pool.run(show)
    shipit.log('RESULTS ' + JSON.stringify(results.map(({ server, stdout }) => [server.label, stdout.trim()])))
    shipit.log('POOL ' + JSON.stringify(shipit.murder.servers().servers.map(({ label, roles }) => [label, roles])))
    await shipit.murder.servers().run('sleep 30 & [ "$MURDER_ROLES" = web ]').catch((error) => shipit.log('CAUGHT ' + error.message))
    await shipit.murder.servers({ role: 'db' }).run('false').catch((error) => shipit.log('CAUGHT ' + error.message))
    try { shipit.murder.servers({ role: 'webs' }) } catch (error) { shipit.log('REFUSED ' + error.message) }
  })`,
  })
  expect((await it.project.run()).code).toBe(0)
  const { code, stdout } = await it.project.run('look')
  expect(code, stdout).toBe(0)
  expect(stdout).toContain(
    'RESULTS [["web1","127.0.0.2|web||it\'s one"],["web2","127.0.0.3|web,db||hunter2"]]',
  )
  expect(stdout).toMatch(/POOL \[\["web1",\["web"\]\],\["web2",\["web","db"\]\],\["[^"]+",\[\]\]\]/)
  expect(stdout).toContain('CAUGHT 2 of 3 servers failed: the other ran the command')
  expect(stdout).toContain('CAUGHT 1 of 1 server failed: none ran the command')
  expect(stdout).toContain(
    'REFUSED shipit.murder.servers() has "webs", which no server has: did you mean web?',
  )
  expect(readFileSync(join(it.app(1), 'current/found'), 'utf8')).toBe('')
})

test('a server has a deployTo of its own, where no listener would look elsewhere', async () => {
  let own = ''
  const it = await threeServers({}, (entries, { fleet }) => {
    own = join(fleet.servers[0]?.home ?? '', 'other')
    const [first] = entries
    if (first) first.deployTo = join(fleet.home, 'other')
  })
  const refused = await it.project.run()
  expect(refused.code).toBe(2)
  expect(refused.stdout).toContain('web1 has a deployTo in servers, but a listener to ')
  expect(isLive(it)).toEqual([false, false, false])

  const harmless = `const on = shipit.on.bind(shipit); shipit.on = (event, listener) => { if (!String(listener).includes('seen.push')) on(event, listener) }`
  const text = readFileSync(join(it.project.directory, 'shipitfile.js'), 'utf8')
  writeFileSync(
    join(it.project.directory, 'shipitfile.js'),
    text.replace('  const seen = []', `  ${harmless}\n  const seen = []`),
  )
  for (const content of ['one', 'two', 'three']) {
    writeFileSync(join(it.project.workspace, 'file'), content)
    const run = await it.project.run()
    expect(run, run.stdout).toMatchObject({ code: 0 })
    expect(readFileSync(join(own, 'current/file'), 'utf8')).toBe(content)
    expect(readFileSync(join(it.app(1), 'current/file'), 'utf8')).toBe(content)
  }
  expect(existsSync(join(own, 'shared/murder'))).toBe(true)
  expect(existsSync(it.app(0))).toBe(false)
  expect((await it.project.run('rollback')).code).toBe(0)
  expect(readFileSync(join(own, 'current/file'), 'utf8')).toBe('two')
  mkdirSync(join(own, 'releases/.20260102030405.partial'))
  expect(
    (
      await it.project.run(
        'murder:seed murder:peer deploy:publish murder:stop_seeding murder:stop_tracker murder:clean',
      )
    ).code,
  ).toBe(0)
  expect(readFileSync(join(own, 'current/file'), 'utf8')).toBe('three')
  expect(existsSync(join(own, 'releases/.20260102030405.partial'))).toBe(false)
})
