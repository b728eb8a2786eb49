import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { blockBytesOf, blockLengthOf } from '../../src/package/delta/match/blocks.ts'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'
import { names } from '../support/harness/deploy-project.ts'
import { plant, survey } from '../unit/package/trees.ts'

const LARGE_BYTES = 1 << 20

const text = (index: number) => `export const number${index} = ${index}\n`.repeat(50)
const manyFiles = (count: number) =>
  Object.fromEntries(
    [...Array(count).keys()].map((index) => [`src/${index % 20}/file${index}.js`, text(index)]),
  )

/** All of a release, times and modes included. */
const whole = (root: string) => survey(root, (mtime) => String(mtime / 1000n))

interface Record {
  server: string
  received: number
  fromPeers: number
  delta?: { of: string; bytes: number; unchanged?: boolean }
  refusedDelta?: string
}

interface Report {
  size: number
  packaged: boolean
  seederUploaded: number
  servers: Record[]
}

/** Deploys, looks at every byte on every server, and gives what the report says of them. */
async function deploy({ project, app, current, leftovers }: Embedded) {
  const file = join(project.root, 'report.json')
  const run = await project.run('deploy', { MURDER_REPORT: file })
  expect(run).toMatchObject({ code: 0, stderr: '' })
  for (const [index, release] of current().entries())
    expect(whole(join(app(index), release ?? ''))).toEqual(whole(project.workspace))
  expect(leftovers()).toEqual([])
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  return { ...run, ...report }
}

const serverName = (remote: { host: string; port: number } | undefined) => `${remote?.host}:${remote?.port}`

describe('deltas between releases', () => {
  test('what changed goes to each server, and the whole package to one without or with another base', async () => {
    const each = await embedded(3)
    const { project, app, current } = each
    const bundle = randomBytes(300_000)
    plant(project.workspace, { ...manyFiles(300), 'dist/app-1a2b3c4d.js': { content: bundle } })
    const first = await deploy(each)
    expect(first.servers.map(({ delta }) => delta)).toEqual([undefined, undefined, undefined])

    appendFileSync(join(project.workspace, 'src/1/file21.js'), '// one line\n')
    renameSync(
      join(project.workspace, 'dist/app-1a2b3c4d.js'),
      join(project.workspace, 'dist/app-9z8y7x6w.js'),
    )
    const second = await deploy(each)
    expect(second.stdout).toMatch(/^delta +\d+ B to 3 of 3 servers/m)
    expect(second.packaged).toBe(false)
    for (const { received, delta } of second.servers) {
      // It is so small that it comes with the order.
      expect(received).toBe(0)
      expect(delta?.bytes).toBeLessThan(500)
    }

    // One server is new. On another one somebody has edited a file, without a trace in its size.
    rmSync(app(1), { recursive: true })
    const edited = join(app(2), current()[2] ?? '', 'dist/app-9z8y7x6w.js')
    writeFileSync(edited, Buffer.concat([Buffer.from('edited'), bundle.subarray(6)]))
    appendFileSync(join(project.workspace, 'src/2/file22.js'), '// one line\n')
    const third = await deploy(each)
    expect(third.packaged).toBe(true)
    expect(third.servers[0]).toMatchObject({ received: 0, delta: { bytes: expect.any(Number) } })
    expect(third.servers[1]?.delta).toBeUndefined()
    expect(third.servers[1]?.received).toBeGreaterThan(bundle.length)
    expect(third.servers[2]).toMatchObject({ refusedDelta: expect.stringContaining('app-9z8y7x6w.js') })
    expect(third.servers[2]).not.toHaveProperty('delta')
    expect(third.stdout).toMatch(/^no delta +deploy@/m)

    // Now all have the same again.
    const fourth = await deploy(each)
    expect(fourth.servers.every(({ delta }) => delta !== undefined)).toBe(true)
  })

  test('where nothing has changed, nothing goes, and the report says so', async () => {
    const each = await embedded(2)
    const { project, app, current } = each
    plant(project.workspace, manyFiles(100))
    await deploy(each)
    const dry = await project.run('deploy', { MURDER_DRY_RUN: 'true' })
    expect(dry.stdout).toContain(
      'Dry run: nothing would go to 2 servers, which have the same; it would be unpacked',
    )
    const second = await deploy(each)
    expect(second.stdout).toMatch(
      /^nothing changed +on 2 of 2 servers, which made it of their current release$/m,
    )
    expect(second.stdout).not.toMatch(/^delta/m)
    expect(second).toMatchObject({ seederUploaded: 0 })
    for (const server of second.servers)
      expect(server).toMatchObject({ received: 0, delta: { unchanged: true, bytes: expect.any(Number) } })

    // A fresh checkout has other times.
    for (const name of names(project.workspace, 'src/1')) {
      const path = join(project.workspace, 'src/1', name)
      utimesSync(path, 1e9, 1e9)
    }
    const third = await deploy(each)
    expect(third.servers.map(({ delta }) => delta?.unchanged)).toEqual([true, true])

    // One server has another content now, and all do take part in its swarm.
    const edited = join(app(1), current()[1] ?? '', 'src/2/file2.js')
    writeFileSync(edited, readFileSync(edited, 'utf8').toUpperCase())
    const fourth = await deploy(each)
    expect(fourth.servers[0]).toMatchObject({ received: 0, delta: { unchanged: true } })
    expect(fourth.servers[1]).toMatchObject({ refusedDelta: expect.stringContaining('src/2/file2.js') })
    expect(fourth.servers[1]?.received).toBeGreaterThan(100)
    expect(fourth.stdout).toMatch(/^nothing changed +on 1 of 2 servers/m)
  })

  test('servers with three bases and one with none: each gets what it lacks, in one deploy', async () => {
    const each = await embedded(4)
    const { project, configure, fleet, current } = each
    plant(project.workspace, { ...manyFiles(100), random: { content: randomBytes(600_000) } })
    const addition = join(project.workspace, 'addition')
    for (const count of [3, 2, 1]) {
      configure({ servers: fleet.remotes.slice(0, count) } as never)
      expect(await project.run('deploy')).toMatchObject({ code: 0 })
      appendFileSync(addition, randomBytes(50_000))
    }
    expect(new Set(current()).size).toBe(4)
    configure()
    const { servers, packaged } = await deploy(each)
    expect(packaged).toBe(true)
    expect(new Set(servers.map(({ delta }) => delta?.of)).size).toBe(4)
    expect(servers.map(({ delta }) => Math.floor((delta?.bytes ?? 0) / 50_000))).toEqual([1, 2, 3, 0])
    expect(servers[3]?.received).toBeGreaterThan(750_000)
  })

  test('a disk that fills up while a delta is applied: nothing is published, and nothing is left', async (context) => {
    const each = await embedded(2)
    const { project, app, current, configure } = each
    const releases = join(app(1), 'releases')
    mkdirSync(releases, { recursive: true })
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', releases])
    if (mounted.status !== 0) return context.skip('needs the right to mount a tmpfs')
    onTestFinished(() => void spawnSync('umount', [releases]))
    plant(project.workspace, { ...manyFiles(20), random: { content: randomBytes(1_200_000) } })
    await deploy(each)
    const before = current()
    const filler = JSON.stringify(join(releases, 'filler'))
    configure(
      {},
      {
        after: `shipit.on('murder:seeding', () => require('fs').writeFileSync(${filler}, Buffer.alloc(2_000_000)))`,
      },
    )
    appendFileSync(join(project.workspace, 'random'), randomBytes(100_000))
    const { code, stdout, stderr } = await project.run('deploy')
    expect(code).toBe(1)
    expect(`${stdout}${stderr}`.replace(/\s+/g, ' ')).toMatch(/no space left.*1 of 2 servers failed/i)
    expect(current()).toEqual(before)
    expect(names(releases, '.').sort()).toEqual([basename(before[1] ?? ''), 'filler'])

    rmSync(join(releases, 'filler'))
    configure()
    const again = await deploy(each)
    expect(again.servers.every(({ delta }) => delta !== undefined)).toBe(true)
  })

  test.each<[string, { reach?: string; seeder?: string }]>([
    ['through SSH', { reach: 'ssh' }],
    ['with the seeder on a server', { seeder: 'first' }],
  ])('a larger delta is passed on by the servers: %s', async (_, { seeder, ...murder }) => {
    const each = await embedded(3)
    const { project, configure, fleet } = each
    const more = seeder === undefined ? {} : { seeder: serverName(fleet.remotes[0]) }
    configure({ murder: { ...murder, ...more } } as never)
    plant(project.workspace, { ...manyFiles(100), random: { content: randomBytes(600_000) } })
    await deploy(each)
    appendFileSync(join(project.workspace, 'random'), randomBytes(200_000))
    rmSync(join(each.app(2)), { recursive: true })
    const { servers } = await deploy(each)
    expect(servers[2]).not.toHaveProperty('delta')
    expect(servers[2]?.received).toBeGreaterThan(800_000)
    for (const { received, delta } of servers.slice(0, 2)) {
      // The last blocks may be asked of several servers at once.
      expect(delta?.bytes).toBeLessThan(210_000)
      expect(received).toBeGreaterThanOrEqual(delta?.bytes ?? Number.NaN)
      expect(received).toBeLessThan(420_000)
    }
  })

  describe('the package is only made where a server needs it', () => {
    /** What the deploy host had in its temporary directory when servers were done. */
    const listed = ({ project }: Embedded) => readFileSync(join(project.root, 'listed'), 'utf8').split('\n')
    const LIST = `const { readdirSync, writeFileSync } = require('fs')
      shipit.on('murder:peer:done', () => {
        const names = readdirSync(process.env.TMPDIR, { recursive: true })
        writeFileSync('../listed', names.map((name) => name.replace(/^[^/]+[/]/, '')).join('\\n'))
      })`
    /** A release of text and noise on all of these servers, and a changed one here. */
    const changed = async (after = '', config = {}) => {
      const each = await embedded(3)
      each.configure(config, { after: `${LIST}\n${after}` })
      plant(each.project.workspace, { ...manyFiles(100), random: { content: randomBytes(600_000) } })
      const first = await deploy(each)
      expect(listed(each)).toContain('package')
      expect(first).toMatchObject({ packaged: true, size: expect.any(Number) })
      appendFileSync(join(each.project.workspace, 'random'), randomBytes(200_000))
      return { ...each, first }
    }

    test('nobody does: there is none, and the report says so', async () => {
      const each = await changed()
      const { packaged, size, stdout, servers } = await deploy(each)
      expect(listed(each)).toContain('delta-0/package')
      expect(listed(each)).not.toContain('package')
      expect(packaged).toBe(false)
      const files = [...Array(100).keys()].reduce((sum, index) => sum + text(index).length, 0)
      expect(size).toBe(files + 800_000)
      expect(stdout).toMatch(/^size .* of files, no package was made$/m)
      // The last blocks may be asked of several servers at once; the package would be 800 kB.
      for (const { received, delta } of servers) {
        expect(received).toBeGreaterThanOrEqual(delta?.bytes ?? Number.NaN)
        expect(received).toBeLessThan(2 * (delta?.bytes ?? 0))
      }
    })

    test('a new server does: it is there from the start', async () => {
      const each = await changed()
      rmSync(each.app(0), { recursive: true })
      const { packaged, servers } = await deploy(each)
      expect(listed(each)).toContain('package')
      expect(packaged).toBe(true)
      expect(servers.map(({ delta }) => delta !== undefined)).toEqual([false, true, true])
    })

    test.each(['local', 'first'])('a server that somebody has edited does: seeder %s', async (seeder) => {
      const each = await changed()
      const { app, current, first, fleet } = each
      if (seeder === 'first') each.configure({ murder: { seeder: serverName(fleet.remotes[0]) } } as never)
      appendFileSync(join(app(1), current()[1] ?? '', 'src/1/file1.js'), 'edited')
      const { packaged, size, servers } = await deploy(each)
      expect(packaged).toBe(true)
      expect(size).toBeGreaterThan(first.size + 199_000)
      expect(servers.map(({ delta }) => delta !== undefined)).toEqual([true, false, true])
      expect(servers[1]).toMatchObject({ refusedDelta: expect.stringContaining('src/1/file1.js') })
    })

    test('where it cannot be made any more, this server fails in one line, and no other', async () => {
      const write = `shipit.on('murder:seeding', ({ tag }) => process.env.CHANGE && writeFileSync(process.env.CHANGE, 'new'))`
      const each = await changed(write, { murder: { tolerate: 1 } })
      const { project, app, current } = each
      const [, before] = current()
      appendFileSync(join(app(1), before ?? '', 'src/1/file1.js'), 'edited')
      const file = join(project.root, 'report.json')
      const CHANGE = join(project.workspace, 'src/2/file2.js')
      const { stdout, stderr } = await project.run('deploy', { MURDER_REPORT: file, CHANGE })
      const report = JSON.parse(readFileSync(file, 'utf8'))
      expect(report).toMatchObject({ packaged: false, exitCode: 0 })
      expect(report.servers.map(({ published }: { published: boolean }) => published)).toEqual([
        true,
        false,
        true,
      ])
      const { cause, cure } = report.servers[1].failure
      expect(cause).toMatch(/src\/1\/file1\.js.*; and there is no package for it: src\/2\/file2\.js changed/)
      expect(cure).toMatch(/^stop whatever writes into the release directory/)
      expect(`${stdout}${stderr}`).toContain('there is no package for it')
      expect(current()[1]).toBe(before)
      expect(each.leftovers()).toEqual([])
    })
  })

  describe('where the deploy host starts empty', () => {
    /** A release of one large file on servers, and a changed one here, where nothing is known of the first. */
    const changed = async (count: number) => {
      const each = await embedded(count)
      const content = randomBytes(LARGE_BYTES)
      plant(each.project.workspace, { large: { content } })
      await deploy(each)
      writeFileSync(join(each.project.workspace, 'large'), Buffer.concat([Buffer.from('inserted'), content]))
      rmSync(join(each.project.directory, '.shipit-murder/bases'), { recursive: true })
      // A slow link makes it worth to wait for servers that take a while to answer.
      each.configure({ murder: { uploadLimit: '100K' } } as never)
      return each
    }

    test('a server says what it has', async () => {
      const each = await changed(3)
      const { servers } = await deploy(each)
      for (const { delta } of servers) expect(delta?.bytes).toBeLessThan(5000)
    })

    test('a server whose release was edited is not believed, another one is', async () => {
      const each = await changed(2)
      const edited = join(each.app(0), each.current()[0] ?? '', 'large')
      writeFileSync(edited, randomBytes(LARGE_BYTES))
      const { servers } = await deploy(each)
      expect(servers[0]).toMatchObject({ refusedDelta: expect.stringContaining('large') })
      expect(servers[1]?.delta?.bytes).toBeLessThan(5000)
    })

    const rows = LARGE_BYTES / blockLengthOf(LARGE_BYTES)
    const tail = blockBytesOf(LARGE_BYTES)
    const row = tail / rows
    const swapped = `const all = require('fs').readFileSync(0), at = all.length - ${tail}
      const rows = Array.from({ length: ${rows} }, (_, i) => all.subarray(at + i * ${row}, at + (i + 1) * ${row}))
      process.stdout.write(Buffer.concat([all.subarray(0, at), ...rows.reverse()]))`
    test.each([
      ['says nothing', 'sleep 100', /: the whole package goes, no delta: a delta would take longer/],
      [
        'is cut off',
        `"$NODE" "$@" | head -c 3000`,
        /no delta: the signature is unusable: it is not as long as/,
      ],
      ['never stops', 'cat /dev/zero', /no delta: .* sends more than the 1\.1 MiB that could save anything/],
      ['sends something else', 'seq 1000', /no delta: the signature is unusable: it is of another kind/],
      [
        'lies about a block',
        `"$NODE" "$@" | "$NODE" -e "$LIE"`,
        /gets the whole package: .* large would get other content/,
      ],
    ])('a server that %s gets the whole package, and a line says so', async (_, command, line) => {
      const each = await changed(1)
      const node = join(each.project.root, 'node')
      const script = `#!/bin/sh\nNODE='${process.execPath}'\nLIE="${swapped}"\n[ "$2" = signature ] || exec "$NODE" "$@"\n${command}\n`
      writeFileSync(node, script, { mode: 0o755 })
      each.configure({ murder: { node, uploadLimit: '100K' } } as never)
      const { servers, stdout } = await deploy(each)
      expect(stdout).toMatch(line)
      expect(servers[0]).not.toHaveProperty('delta')
      expect(servers[0]?.received).toBeGreaterThan(LARGE_BYTES)
    })
  })

  test('encrypted, after a rollback, after a kill, and what a server has itself is left alone', async () => {
    const each = await embedded(2)
    const { project, app, current, configure } = each
    configure({ murder: { encrypt: true }, ignores: ['own'] } as never)
    plant(project.workspace, { ...manyFiles(100), random: { content: randomBytes(100_000) } })
    await deploy(each)
    appendFileSync(join(project.workspace, 'src/1/file21.js'), '// second\n')
    const second = await deploy(each)
    expect(second.servers.every(({ delta }) => delta && delta.bytes < 1000)).toBe(true)
    const [came] = current()
    appendFileSync(join(project.workspace, 'src/1/file21.js'), '// third\n')
    await deploy(each)
    expect(await project.run('rollback')).toMatchObject({ code: 0 })
    expect(current()).toEqual([came, came])

    // Killed while servers receive, so that nothing is published behind our back.
    writeFileSync(join(project.workspace, 'slow'), randomBytes(400_000))
    const killed = project.start('deploy', { MURDER_UPLOAD_LIMIT: '20K' })
    const receiving = (index: number) => names(app(index), 'releases').some((name) => !/^\d{14}$/.test(name))
    for (; !receiving(0) || !receiving(1); ) await setTimeout(20)
    killed.child.kill('SIGKILL')
    await killed.ended
    writeFileSync(join(project.workspace, 'new'), 'new')
    for (const index of [0, 1]) {
      mkdirSync(join(app(index), 'current/own'))
      writeFileSync(join(app(index), 'current/own/file'), 'of the server')
    }
    const file = join(project.root, 'report.json')
    expect(await project.run('deploy', { MURDER_REPORT: file })).toMatchObject({ code: 0 })
    for (const [index, release] of current().entries()) {
      const place = join(app(index), release ?? '')
      expect(readFileSync(join(place, 'own/file'), 'utf8')).toBe('of the server')
      rmSync(join(place, 'own'), { recursive: true })
      expect(readFileSync(join(place, 'new'), 'utf8')).toBe('new')
    }
    const { servers } = JSON.parse(readFileSync(file, 'utf8')) as { servers: Record[] }
    expect(servers.every(({ delta }) => delta !== undefined)).toBe(true)
  })
})
