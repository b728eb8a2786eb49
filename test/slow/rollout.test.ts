import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Groups } from '../../src/config/kinds/rollout.ts'
import type { MurderSettings } from '../../src/config/schema.ts'
import type { ServerEntry } from '../../src/shipit.ts'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'
import { names } from '../support/harness/deploy-project.ts'

interface Rollout extends Embedded {
  /** What hooks have said since the last call, in its order. */
  said(): string[]
  deploy(content: string, env?: Record<string, string>): ReturnType<Embedded['project']['run']>
  set(murder: MurderSettings): void
  /** The content that is live on each server. */
  live(): (string | undefined)[]
  log: string
}

const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4']

/** Servers a, b and c, whose hooks write into one file. */
async function fleetOfThree(): Promise<Rollout> {
  const it = await embedded(3)
  const log = join(it.project.root, 'said')
  const entries = it.fleet.remotes.map(
    (remote, index): ServerEntry => ({
      ...remote,
      label: 'abc'[index] as string,
      roles: index === 0 ? 'canary' : 'web',
      env: { LOG: log, NAME: 'abc'[index] as string },
    }),
  )
  writeFileSync(log, '')
  return {
    ...it,
    log,
    said() {
      const text = readFileSync(log, 'utf8')
      writeFileSync(log, '')
      const release = /\b\d{14}\b/g
      return text.trim() === '' ? [] : text.trim().replace(release, 'R').split('\n')
    },
    set: (murder) =>
      it.configure(
        { servers: entries, murder: { linger: 0, deltas: false, ...murder } },
        {
          after: `shipit.on('reverted', () => require('fs').appendFileSync(${JSON.stringify(log)}, 'reverted\\n'))`,
        },
      ),
    deploy(content, env = {}) {
      writeFileSync(join(it.project.workspace, 'file'), content)
      return it.project.run('deploy', env)
    },
    live: () =>
      [0, 1, 2].map((index) => {
        const file = join(it.app(index), 'current/file')
        return existsSync(file) ? readFileSync(file, 'utf8') : undefined
      }),
  }
}

const pictures = ({ project }: Rollout) =>
  names(project.directory, '.shipit-murder/logs').filter((name) => name.endsWith('.html'))

const say = (word: string) => `echo "${word} $NAME" >>"$LOG"`
const hooks = (log: string) => ({
  before: say('before'),
  after: say('after'),
  local: {
    beforeGroup: `echo "beforeGroup $MURDER_LABELS" >>'${log}'`,
    afterGroup: `echo "afterGroup $MURDER_HOSTS" >>'${log}'`,
  },
})
const activate = 'echo "activate $NAME $(cat file)" >>"$LOG"'
/** A server that has the file `ill` fails with any content but the first. */
const healthCheck = '[ ! -e ../ill ] || grep -q one file'

test('each group is taken out, changed, checked and put back, also by a rollback', async () => {
  const it = await fleetOfThree()
  it.set({ rollout: { groups: 'role', ...hooks(it.log) }, activate, healthCheck: say('health') })
  const run = await it.deploy('one')
  expect(run, run.stdout).toMatchObject({ code: 0 })
  const rolled = (content: string) => [
    'beforeGroup a',
    'before a',
    `activate a ${content}`,
    'health a',
    'after a',
    `afterGroup ${hosts[0]}`,
    'beforeGroup b c',
    expect.stringMatching(/^before [bc]$/),
    expect.stringMatching(/^before [bc]$/),
    expect.stringMatching(new RegExp(`^activate [bc] ${content}$`)),
    expect.stringMatching(new RegExp(`^activate [bc] ${content}$`)),
    expect.stringMatching(/^health [bc]$/),
    expect.stringMatching(/^health [bc]$/),
    expect.stringMatching(/^after [bc]$/),
    expect.stringMatching(/^after [bc]$/),
    `afterGroup ${hosts[1]} ${hosts[2]}`,
  ]
  expect(it.said()).toEqual(rolled('one'))
  expect(run.stdout).toContain('Publishing group 2 of 2 (web): b, c')
  expect((await it.deploy('two')).code).toBe(0)
  it.said()
  expect((await it.project.run('rollback')).code).toBe(0)
  expect(it.said()).toEqual(rolled('one'))
  expect(it.live()).toEqual(['one', 'one', 'one'])

  const dry = await it.deploy('three', { MURDER_DRY_RUN: '1' })
  expect(dry.stdout).toContain('  group 1 of 2 (canary): a\n  group 2 of 2 (web): b, c\n')
  expect(dry.stdout).toMatch(/ {2}before +echo/)
  expect(it.said()).toEqual([])
})

test('when a group fails all go back, are restarted, and nobody stays out', async () => {
  const it = await fleetOfThree()
  it.set({ rollout: { groups: [1, '100%'], ...hooks(it.log) }, activate, healthCheck })
  expect((await it.deploy('one')).code).toBe(0)
  it.said()
  writeFileSync(join(it.app(2), 'releases/ill'), '')
  const report = join(it.project.root, 'report.json')
  const run = await it.deploy('two', { MURDER_REPORT: report })
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(/1 of 3 servers failed: every server has what it had before/)
  expect(it.live()).toEqual(['one', 'one', 'one'])
  const said = it.said()
  expect(said.slice(-11).sort()).toEqual(
    [
      // The second group, which is still out, goes back first; then the first one.
      'activate b one',
      'activate c one',
      'after b',
      'after c',
      `afterGroup ${hosts[1]} ${hosts[2]}`,
      'beforeGroup a',
      'before a',
      'activate a one',
      'after a',
      `afterGroup ${hosts[0]}`,
      'reverted',
    ].sort(),
  )
  expect(said.at(-1)).toBe('reverted')
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
    drained: [],
    groups: [{ servers: ['a'] }],
    release: /releases\/(\d{14})"/.exec(run.stdout)?.[1],
  })
  expect(pictures(it)).toHaveLength(2)
  expect((await it.project.run('murder:resume')).stdout).toContain(
    'There is no rollout with groups that are left',
  )
})

test('or only the group, and murder:resume goes on with what is left', async () => {
  const it = await fleetOfThree()
  it.set({ rollout: { groups: [1, 2, 3], ...hooks(it.log), revert: 'group' }, activate, healthCheck })
  expect((await it.deploy('one')).code).toBe(0)
  writeFileSync(join(it.app(1), 'releases/ill'), '')
  const run = await it.deploy('two')
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(
    /the group that failed has what it had before, and \d{14} stays on the groups before/,
  )
  expect(it.live()).toEqual(['two', 'one', 'one'])
  expect(it.said().at(-1)).toBe('reverted')

  const last = () => readFileSync(join(it.project.directory, '.shipit-murder/last/test.json'), 'utf8')
  const deployed = last()
  expect((await it.project.run('murder:resume', { MURDER_ONLY: 'a' })).code).toBe(2)
  expect(last()).toBe(deployed)
  expect(pictures(it)).toHaveLength(2)
  const early = await it.project.run('murder:resume', { MURDER_OUTPUT: 'json' })
  expect(early.code).toBe(1)
  const events = early.stdout.split('\n').filter((line) => line.startsWith('{'))
  expect(events.map((line) => JSON.parse(line)).filter(({ event }) => event === 'group')).toMatchObject([
    { group: 2, groups: 3, state: 'publishing', servers: ['b'] },
  ])
  expect(pictures(it)).toHaveLength(3)
  expect(it.live()).toEqual(['two', 'one', 'one'])
  rmSync(join(it.app(1), 'releases/ill'))
  const dry = await it.project.run('murder:resume', { MURDER_DRY_RUN: '1' })
  expect(dry.stdout).toContain('  group 2 of 3: b\n  group 3 of 3: c\n')
  it.said()
  const resumed = await it.project.run('murder:resume')
  expect(resumed, resumed.stdout).toMatchObject({ code: 0 })
  expect(resumed.stdout.match(/^.*group \d of .*$/gm)).toEqual([
    '  group 2 of 3: b',
    '  group 3 of 3: c',
    'Publishing group 2 of 3: b',
    'Publishing group 3 of 3: c',
  ])
  expect(it.live()).toEqual(['two', 'two', 'two'])
  expect(it.said().filter((line) => line.startsWith('before '))).toEqual(['before b', 'before c'])
  expect(it.project.seen().map(({ event }) => event)).toEqual(['published', 'cleaned', 'deployed'])
  expect((await it.project.run('murder:resume')).code).toBe(2)
})

test('a deploy that is killed says so as well where only commands on the deploy host take servers out', async () => {
  const it = await fleetOfThree()
  const { local } = hooks(it.log)
  it.set({
    rollout: { groups: [1, '100%'], local },
    activate: '[ ! -e "$LOG.hang" ] || { echo hang >>"$LOG"; sleep 60; }',
  })
  expect((await it.deploy('one')).code).toBe(0)
  const out = async () => (await it.project.run('murder:lock:status')).stdout.match(/^. was left out/gm)
  expect(await out()).toBeNull()
  writeFileSync(`${it.log}.hang`, '')
  writeFileSync(join(it.project.workspace, 'file'), 'two')
  const run = it.project.start('deploy')
  await expect.poll(() => readFileSync(it.log, 'utf8'), { timeout: 30_000 }).toContain('hang')
  run.signal('SIGKILL')
  await run.ended
  rmSync(`${it.log}.hang`)
  expect(await out()).toEqual(['a was left out'])
  it.said()
  const resumed = await it.project.run('murder:resume')
  expect(resumed, resumed.stdout).toMatchObject({ code: 0 })
  expect(resumed.stdout).toMatch(/^a was left out of service by .*; publishing puts it back/m)
  expect(it.said()).toContain('afterGroup 127.0.0.2')
  expect(await out()).toBeNull()
  // Also what failed is in service again, by afterGroup of its group.
  for (const more of [
    { tolerate: 1 },
    { rollout: { groups: [1, '100%'] as Groups, local, revert: false } },
  ]) {
    it.set({ rollout: { groups: [1, '100%'], local }, healthCheck: '[ "$NAME" != b ]', ...more })
    expect((await it.deploy('three')).code).toBe('tolerate' in more ? 0 : 1)
    expect(await out()).toBeNull()
  }
})

test('hooks of a deploy that is killed end with it', async () => {
  const it = await fleetOfThree()
  const late = (word: string) => `echo begun >>'${it.log}'; sleep 4; echo ${word} >>'${it.log}'`
  for (const rollout of [{ local: { beforeGroup: late('local') } }, { before: late('server') }]) {
    it.set({ rollout })
    writeFileSync(join(it.project.workspace, 'file'), 'one')
    it.said()
    const run = it.project.start('deploy')
    await expect.poll(() => readFileSync(it.log, 'utf8'), { timeout: 30_000 }).toContain('begun')
    run.signal('SIGKILL')
    await run.ended
    await setTimeout(5000)
    expect(new Set(it.said())).toEqual(new Set(['begun']))
  }
})

test('so it does when a guard has gone back and put back what it could on its server', async () => {
  const it = await fleetOfThree()
  it.set({
    rollout: { groups: [2, '100%'], ...hooks(it.log), confirm: 2 },
    activate: '[ ! -e "$LOG.hang" ] || { rm "$LOG.hang"; echo hang >>"$LOG"; sleep 60; }',
  })
  expect((await it.deploy('one')).code).toBe(0)
  writeFileSync(`${it.log}.hang`, '')
  writeFileSync(join(it.project.workspace, 'file'), 'two')
  it.said()
  const run = it.project.start('deploy')
  await expect.poll(() => readFileSync(it.log, 'utf8'), { timeout: 30_000 }).toContain('hang')
  run.signal('SIGKILL')
  await run.ended
  await expect.poll(it.live, { timeout: 60_000 }).toEqual(['one', 'one', 'one'])
  await expect
    .poll(async () => (await it.project.run('murder:status')).stdout, { timeout: 60_000 })
    .not.toContain('Not confirmed')
  expect(it.said()).toEqual(expect.arrayContaining(['after a', 'after b']))
  const out = async () => (await it.project.run('murder:lock:status')).stdout.match(/^. was left out/gm)
  expect(await out()).toEqual(['a was left out', 'b was left out'])
  expect((await it.project.run('murder:resume')).code).toBe(0)
  // On the servers they were in service again.
  expect(it.said()).toEqual(
    expect.arrayContaining(['before a', 'before b', 'afterGroup 127.0.0.2 127.0.0.3']),
  )
  expect(await out()).toBeNull()
})

test('a before without an after leaves nobody noted as out of service', async () => {
  const it = await fleetOfThree()
  it.set({ rollout: { groups: [1, '100%'], before: say('before'), after: { canary: say('after') } } })
  expect((await it.deploy('one')).code).toBe(0)
  expect(it.said()).toEqual(
    ['before a', 'after a', 'before b', 'before c'].map((line) => expect.stringContaining(line.slice(0, -1))),
  )
  expect((await it.project.run('murder:lock:status')).stdout).not.toContain('left out')
})

test('a deploy that is killed says who is out, and murder:resume puts them back', async () => {
  const it = await fleetOfThree()
  const rollout = { groups: [1, '100%'] as (number | '100%')[], ...hooks(it.log) }
  it.set({
    rollout: { ...rollout, before: `${say('before')}; [ "$NAME" != c ] || [ ! -e "$LOG.hang" ] || sleep 60` },
  })
  expect((await it.deploy('one')).code).toBe(0)
  writeFileSync(`${it.log}.hang`, '')
  writeFileSync(join(it.project.workspace, 'file'), 'two')
  const run = it.project.start('deploy')
  await expect
    .poll(() => readFileSync(it.log, 'utf8'), { timeout: 30_000 })
    .toMatch(/before c[\s\S]*before c/)
  run.signal('SIGKILL')
  await run.ended
  rmSync(`${it.log}.hang`)
  const status = await it.project.run('murder:lock:status')
  expect(status.stdout).toMatch(/^b was left out of service by .* since .*Z, for release \d{14}$/m)
  expect(status.stdout).toMatch(/^c was left out/m)
  expect(status.stdout).not.toMatch(/^a was left out/m)
  it.said()
  const resumed = await it.project.run('murder:resume')
  expect(resumed, resumed.stdout).toMatchObject({ code: 0 })
  expect(resumed.stdout).toMatch(/^c was left out of service by .*; publishing puts it back/m)
  expect(it.live()).toEqual(['two', 'two', 'two'])
  expect(it.said()).toEqual(expect.arrayContaining(['after b', 'after c']))
  expect((await it.project.run('murder:lock:status')).stdout).not.toContain('left out')
})

test('murder:resume after a kill in the middle of a group knows what that group had before', async () => {
  const it = await fleetOfThree()
  const rollout = { groups: [1, '100%'] as (number | '100%')[] }
  const hang = `echo "activate $NAME" >>"$LOG"; [ "$NAME" != c ] || [ ! -e "$LOG.hang" ] || sleep 60`
  it.set({ rollout, activate: hang, healthCheck })
  expect((await it.deploy('one')).code).toBe(0)
  writeFileSync(`${it.log}.hang`, '')
  writeFileSync(join(it.project.workspace, 'file'), 'two')
  it.said()
  const run = it.project.start('deploy')
  await expect.poll(() => readFileSync(it.log, 'utf8'), { timeout: 30_000 }).toContain('activate c')
  run.signal('SIGKILL')
  await run.ended
  rmSync(`${it.log}.hang`)
  expect(it.live()).toEqual(['two', 'two', 'two'])
  writeFileSync(join(it.app(1), 'releases/ill'), '')
  it.said()
  const resumed = await it.project.run('murder:resume')
  expect(resumed.code, resumed.stdout).toBe(1)
  expect(resumed.stdout).toContain('every server has what it had before')
  expect(it.live()).toEqual(['one', 'one', 'one'])
  // Each group once on the way back.
  expect(it.said().filter((line) => line === 'activate b')).toHaveLength(2)
})

test('a rollback after a kill in the first group takes that rollout back, and not one more release', async () => {
  const it = await fleetOfThree()
  const hang = '[ ! -e "$LOG.hang" ] || { echo hang >>"$LOG"; sleep 60; }'
  it.set({ rollout: { groups: [1, '100%'] }, activate: hang })
  for (const content of ['one', 'two']) expect((await it.deploy(content)).code).toBe(0)
  writeFileSync(`${it.log}.hang`, '')
  writeFileSync(join(it.project.workspace, 'file'), 'three')
  const run = it.project.start('deploy')
  await expect.poll(() => readFileSync(it.log, 'utf8'), { timeout: 30_000 }).toContain('hang')
  run.signal('SIGKILL')
  await run.ended
  rmSync(`${it.log}.hang`)
  expect(it.live()).toEqual(['three', 'two', 'two'])
  const dry = await it.project.run('rollback', { MURDER_DRY_RUN: '1' })
  const rollback = await it.project.run('rollback')
  expect(rollback, rollback.stdout).toMatchObject({ code: 0 })
  expect(it.live()).toEqual(['two', 'two', 'two'])
  const [, target] = /Will rollback to (\d+)/.exec(rollback.stdout) ?? []
  expect(dry.stdout).toContain(`back to ${target}`)
  expect((await it.project.run('rollback')).code).toBe(0)
  expect(it.live()).toEqual(['one', 'one', 'one'])
})

test('a hook that hangs is named, and one that leaves a process behind holds nothing up', async () => {
  const it = await fleetOfThree()
  it.set({
    rollout: { before: 'sleep 50 & true', after: say('after'), local: { afterGroup: 'sleep 50 & true' } },
  })
  const left = await it.deploy('one')
  expect(left, left.stdout).toMatchObject({ code: 0 })
  it.said()
  const timeouts = { hook: 1 }
  it.set({ timeouts, rollout: { before: '[ "$NAME" != b ] || sleep 50', after: say('after') } })
  const hung = await it.deploy('two')
  expect(hung.code).toBe(1)
  expect(hung.stdout).toMatch(/b +before +it was not done after 1 s[\s\S]*raise murder\.timeouts\.hook/)
  expect(it.live()).toEqual(['one', 'one', 'one'])
  expect(it.said().sort()).toEqual(['after a', 'after b', 'after c']) // Nothing had been published.

  it.set({ timeouts, rollout: { local: { check: 'echo too many errors; exit 3' }, after: say('after') } })
  const no = await it.deploy('three')
  expect(no.code).toBe(1)
  expect(no.stdout).toContain(
    'murder.rollout.local.check ended with exit code 3: too many errors: every server has what it had before',
  )
  expect(it.live()).toEqual(['one', 'one', 'one'])
})

test('a watched group goes back when its health does not hold', async () => {
  const it = await fleetOfThree()
  it.set({ healthCheck })
  expect((await it.deploy('one')).code).toBe(0)
  it.set({
    healthCheck,
    rollout: {
      groups: [1, 3],
      watch: 6,
      after: '[ "$NAME" != a ] || touch ../ill',
    },
  })
  const run = await it.deploy('two')
  expect(run.code).toBe(1)
  expect(run.stdout).toContain('Watching 1 server for 6 s')
  expect(it.live()).toEqual(['one', 'one', 'one'])
})

test('a watched group without a server that may fail is watched to the end', async () => {
  const it = await fleetOfThree()
  it.set({ healthCheck })
  expect((await it.deploy('one')).code).toBe(0)
  // The first is ill after 5 s, the second in the end.
  const fall = (name: string, seconds: number) =>
    `[ "$NAME" != ${name} ] || (sleep ${seconds}; touch ../ill) &`
  const after = `${fall('a', 1)} ${fall('b', 7)} true`
  it.set({ healthCheck, tolerate: 1, rollout: { groups: [2, 3], watch: 9, after } })
  const run = await it.deploy('two')
  expect(run.stdout).toContain('1 of 3 servers failed; murder.tolerate lets the others go on')
  expect(run.code).toBe(1)
  expect(it.live()).toEqual(['one', 'one', 'one'])
})

test('what does not fit is refused before anything changes', async () => {
  const it = await fleetOfThree()
  const refused = async (murder: MurderSettings, line: string) => {
    it.set(murder)
    const run = await it.deploy('one')
    expect(run.code, run.stdout).toBe(2)
    expect(run.stdout).toContain(line)
    expect(it.live()).toEqual([undefined, undefined, undefined])
  }
  await refused(
    { rollout: { groups: [1, 2] } },
    'murder.rollout.groups is 1, 2, which does not add up: 2 of 3',
  )
  await refused({ batch: 1, rollout: { groups: 'role' } }, 'murder.batch and murder.rollout.groups both make')
  await refused({ healthCheck: { wep: 'true' } }, 'has "wep", which no server has: did you mean web?')
  await refused({ rollout: { watch: 5 } }, 'murder.rollout.watch is 5, but there is nothing to watch')
  await refused({ rollout: { pause: 'ask' } }, 'murder.rollout.pause is ask, but nobody can be asked')
})
