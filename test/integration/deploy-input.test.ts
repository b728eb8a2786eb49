import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeKey } from '../../examples/fleet/keys.ts'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'
import { names } from '../support/harness/deploy-project.ts'
import { quiet } from '../support/processes.ts'

interface Case {
  name: string
  /** Returns what is put into the configuration, or the environment under `env`. */
  prepare: (it: Embedded) => object | Promise<object>
  says: RegExp
  code?: number
}

const remote = (it: Embedded, index: number) => it.fleet.remotes[index] as object
const fakeNode = (it: Embedded, text: string) => {
  for (const { home } of it.fleet.servers)
    writeFileSync(join(home, 'node'), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return { murder: { node: join(it.fleet.home, 'node') } }
}

const cases: Case[] = [
  {
    name: 'no servers',
    prepare: () => ({ servers: [] }),
    says: /^There are no servers to deploy to — add/m,
    code: 2,
  },
  {
    name: 'an unreachable server',
    prepare: (it) => ({ servers: [remote(it, 0), { ...remote(it, 1), port: 9 }] }),
    says: /^deploy@127.0.0.3:9 +check +nothing listens on its SSH port 9/m,
  },
  {
    name: 'a wrong key',
    prepare: (it) => ({ key: makeKey(it.project.root, 'other').path }),
    says: /^deploy@127.0.0.2:\d+, deploy@127.0.0.3:\d+: check\n +cause +it refused the login/m,
  },
  {
    name: 'a changed host key',
    prepare: (it) => {
      const other = makeKey(it.project.root, 'other-host').public
      writeFileSync(
        it.fleet.knownHostsPath,
        it.fleet.servers.map(({ host, port }) => `[${host}]:${port} ${other}\n`).join(''),
      )
      return {}
    },
    says: /host key/i,
  },
  {
    name: 'no Node',
    prepare: () => ({ murder: { node: '/nowhere/node' } }),
    says: /there is no Node.js/,
  },
  {
    name: 'an old Node',
    prepare: (it) => fakeNode(it, 'echo v16.20.2'),
    says: /Node.js v16.20.2 is too old/,
  },
  { name: 'a Node that says nothing useful', prepare: (it) => fakeNode(it, 'echo hello'), says: /Node.js/ },
  {
    name: 'a temporary path that cannot be made',
    prepare: () => ({ murder: { temporaryPath: '/proc/nothing/here' } }),
    says: /check +\/proc\/nothing\/here cannot be /,
  },
  {
    name: 'a deployTo that is a file',
    prepare: (it) => {
      for (const { home } of it.fleet.servers) writeFileSync(join(home, 'app'), '')
      return {}
    },
    says: /check\n +cause +\S+\/app is not a directory\n +cure +check deployTo/,
  },
  {
    name: 'a deployTo without a right to write',
    prepare: () => ({ deployTo: '/proc/app' }),
    says: /check +\/proc\/app\/releases cannot be /,
  },
  {
    name: 'an empty release',
    prepare: (it) => {
      rmSync(join(it.project.workspace, 'file'))
      return {}
    },
    says: /empty|nothing|no file/i,
  },
  {
    name: 'a pattern that a shell would change',
    prepare: () => ({ ignores: ['$HOME/x'] }),
    says: /^ignores has "\$HOME\/x"/m,
    code: 2,
  },
  {
    name: 'an option of rsync that nothing here does',
    prepare: () => ({ deploy: { remoteCopy: { rsync: '--safe-links' } } }),
    says: /^deploy\.remoteCopy\.rsync has --safe-links: allowed: --exclude/m,
    code: 2,
  },
  { name: 'everything ignored', prepare: () => ({ ignores: ['*'] }), says: /ignore/i },
  {
    name: 'a workspace that is missing',
    prepare: () => ({ rsyncFrom: '/nowhere/at/all' }),
    says: /\/nowhere\/at\/all/,
  },
  {
    name: 'a workspace that is a file',
    prepare: (it) => ({ rsyncFrom: join(it.project.workspace, 'file') }),
    says: /file/,
  },
  {
    name: 'a tracker port that is taken',
    prepare: async (it) => {
      const server = createServer().listen(it.project.trackerPort)
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      return {}
    },
    says: /^Port \d+ is taken.*murder.tracker.port/m,
  },
  {
    name: 'a mistyped setting',
    prepare: () => ({ murder: { lingr: 3 } }),
    says: /murder\.lingr.*did you mean murder.linger/,
    code: 2,
  },
  {
    name: 'a mistyped variable',
    prepare: () => ({ env: { MURDER_LINGR: '3' } }),
    says: /MURDER_LINGR.*MURDER_LINGER/,
    code: 2,
  },
  {
    name: 'a wrong type',
    prepare: () => ({ murder: { linger: 'long' } }),
    says: /murder\.linger is "long"/,
    code: 2,
  },
  {
    name: 'a seeder that is no server',
    prepare: () => ({ murder: { seeder: 'x' } }),
    says: /murder\.seeder is "x"/,
    code: 2,
  },
  ...['/', '//', '/.', '/srv/../etc', '/srv/..'].flatMap((deployTo): Case[] => [
    { name: `deployTo ${deployTo}`, prepare: () => ({ deployTo }), says: /^deployTo is "/m, code: 2 },
    {
      name: `deployTo ${deployTo} of one server`,
      prepare: (it) => ({ servers: [remote(it, 0), { ...remote(it, 1), deployTo }] }),
      says: /^servers\[1\]\.deployTo \(\S+\) is ".*": allowed: an absolute path below '\/'/m,
      code: 2,
    },
  ]),
  { name: 'no deployTo', prepare: () => ({ deployTo: undefined }), says: /deployTo/, code: 2 },
  {
    name: 'a server twice',
    prepare: (it) => ({ servers: [remote(it, 0), remote(it, 0)] }),
    says: /^deploy@127.0.0.2:\d+ is in "servers" twice — remove/m,
    code: 2,
  },
  {
    name: 'a server under two names',
    prepare: (it) => ({
      servers: [
        remote(it, 0),
        {
          ...remote(it, 0),
          host: 'localhost',
          extraSshOptions: {
            ...(remote(it, 0) as { extraSshOptions: object }).extraSshOptions,
            HostName: '127.0.0.2',
            HostKeyAlias: `[127.0.0.2]:${it.fleet.servers[0]?.port}`,
          },
        },
      ],
    }),
    says: /deploy@127.0.0.2:\d+ and deploy@localhost:\d+ are the same machine/,
    code: 2,
  },
  {
    name: 'a file that changes while it is packaged',
    prepare: (it) => {
      const growing = join(it.project.workspace, 'growing.log')
      writeFileSync(growing, Buffer.alloc(30_000_000))
      // Not by its name: nothing that runs may mention the project in the end.
      const writer = spawn('sh', ['-c', 'while :; do echo x >&3; sleep 0.01; done'], {
        stdio: ['ignore', 'ignore', 'ignore', openSync(growing, 'a')],
      })
      onTestFinished(() => void writer.kill('SIGKILL'))
      return {}
    },
    says: /growing.log .* while it was packaged — stop whatever/,
  },
]

test.each(cases)('$name: one clear line, nothing left behind', async ({ prepare, says, code = 1 }) => {
  const it = await embedded(2)
  writeFileSync(join(it.project.workspace, 'file'), 'x')
  const { env, ...config } = (await prepare(it)) as { env?: Record<string, string> }
  it.configure(config)
  const run = await it.project.run('deploy', env)
  const said = run.stdout
    .split('\n')
    .filter((line) => !/^(Running|Finished|Setup|Workspace|Skip|$)/.test(line))
    .join('\n')
  expect(said).toMatch(says)
  expect(said).not.toMatch(/^ {4}at |Unexpected|\[object/m)
  expect(run.stderr).toBe('')
  expect(run.code).toBe(code)
  expect(run.stdout).not.toContain('deploy:publish')
  expect(await quiet(it.project.root)).toEqual([])
  expect(it.leftovers()).toEqual([])
  expect(it.current()).toEqual([undefined, undefined])
  for (const index of [0, 1]) expect(names(it.app(index), 'releases')).toEqual([])
})

test.each([
  {
    name: 'a configured workspace',
    config: { workspace: '/nowhere/at/all' },
    says: /required.* \/nowhere\/at\/all$/m,
  },
  {
    name: 'a repository',
    config: { repositoryUrl: '/nowhere/at.git' },
    says: /^fatal: '\/nowhere\/at.git'/m,
  },
])('$name that is missing is said without a stack trace', async ({ config, says }) => {
  const it = await embedded(1, config)
  const run = await it.project.run()
  expect(run.stdout).toMatch(says)
  expect(run.stdout).not.toMatch(/^ {4}at /m)
  expect(run.code).toBe(1)
  expect(await quiet(it.project.root)).toEqual([])
  expect(it.leftovers()).toEqual([])
})

test('a fleet of more than ten is no leak that Node warns of', async () => {
  const it = await embedded(1)
  writeFileSync(join(it.project.workspace, 'file'), 'x')
  it.configure({ servers: Array.from({ length: 12 }, (_, index) => `deploy@127.0.1.${index + 1}:9`) })
  const run = await it.project.run()
  expect(run.stdout).toMatch(/^12 of 12 servers failed/m)
  expect(run).toMatchObject({ code: 1, stderr: '' })
})

test('in JSON mode nothing speaks of a table', async () => {
  const it = await embedded(2)
  writeFileSync(join(it.project.workspace, 'file'), 'x')
  it.configure({ murder: { node: '/nowhere/node' } })
  const run = await it.project.run('deploy', { MURDER_OUTPUT: 'json' })
  expect(run.code).toBe(1)
  expect(run.stdout).not.toContain('table')
  const events = run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  expect(events.filter(({ event }) => event === 'failed')).toMatchObject([
    { step: 'check' },
    { step: 'check' },
  ])
})

test('when another deploy has the usual port of the tracker, this one takes the next free one', async () => {
  const it = await embedded(2)
  writeFileSync(join(it.project.workspace, 'file'), 'x')
  const other = createServer().listen(8998)
  other.on('error', () => {}) // A real tracker has it, which is as good.
  onTestFinished(() => void other.close())
  const run = await it.project.run('deploy', { MURDER_TRACKER_PORT: '' })
  expect(run.stdout).toMatch(/^Port 8998 of the deploy host is taken: the tracker takes (899\d|90[012]\d), /m)
  expect(run.code).toBe(0)
  expect(it.current()).not.toContain(undefined)
  expect(await quiet(it.project.root)).toEqual([])
})

test('a listener that ends the process early does not make a success of it', async () => {
  const it = await embedded(1)
  writeFileSync(join(it.project.workspace, 'file'), 'x')
  it.configure({}, { after: 'shipit.on("updated", () => process.exit(0))' })
  const path = join(it.project.root, 'report.json')
  const run = await it.project.run('deploy', { MURDER_REPORT: path })
  expect(run.stderr).toMatch(/^The process was ended before the deploy was done — .*process.exit\(\)/m)
  expect(run.code).toBe(1)
  const report = JSON.parse(readFileSync(path, 'utf8'))
  expect(report).toMatchObject({ exitCode: 1, published: false })
  expect(it.current()).toEqual([undefined])
})
