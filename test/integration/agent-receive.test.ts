import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pack } from '../../src/package/pack/pack.ts'
import { scan } from '../../src/package/pack/scan.ts'
import type { ReceiveOrder } from '../../src/protocol/order.ts'
import { defined } from '../../src/system/defined.ts'
import { createTorrent } from '../../src/torrent/metainfo/create.ts'
import { magnetOf } from '../../src/torrent/metainfo/magnet.ts'
import { parseMetainfo } from '../../src/torrent/metainfo/metainfo.ts'
import {
  type Agent,
  bundledAgent,
  freePort,
  hasEnded,
  isRunning,
  Sandbox,
  until,
} from '../support/harness/agent-harness.ts'

const bundled = bundledAgent()
let sandbox: Sandbox
let order: ReceiveOrder
let seederPort: number

/** A release, packaged, and the order to get it from a seeder that doesn't run yet. */
beforeEach(async () => {
  sandbox = await Sandbox.make(bundled.program)
  seederPort = await freePort()
  await sandbox.file('release/bin/run', '#!/bin/sh\n')
  await chmod(sandbox.path('release/bin/run'), 0o755)
  await sandbox.file('release/pages', 'page '.repeat(60_000))
  await mkdir(sandbox.path('release/empty'))
  await symlink('bin/run', sandbox.path('release/link'))
  const entries = scan(sandbox.path('release'))
  const made = await pack({
    root: sandbox.path('release'),
    entries,
    output: sandbox.path('package'),
    compression: 'none',
    pieceLength: 16_384,
  })
  const torrent = await createTorrent({ source: sandbox.path('package'), trackers: [], pieceLength: 16_384 })
  await sandbox.file('package.torrent', torrent)
  order = {
    tag: '20260102030405',
    torrent: torrent.toString('base64'),
    sha256: made.sha256,
    directory: sandbox.path('server/transfer'),
    trackers: [],
    peers: [`127.0.0.1:${seederPort}`],
    ports: [0, 0],
    fleet: 1,
    linger: 30,
    uploadLimit: 0,
    downloadLimit: 0,
    timeouts: { connect: 30, stall: 30, total: 0 },
    unpack: { into: sandbox.path('server/releases/20260102030405'), compression: 'none', revision: 'abc123' },
  }
})
afterEach(() => sandbox.end())

const seed = () =>
  sandbox.run(['seed', 'package.torrent', 'package', '--port', String(seederPort), '--tag', 's'])
const receive = (changes: Partial<ReceiveOrder> = {}) => {
  const agent = sandbox.start(['receive'], { stdin: 'open' })
  agent.child.stdin?.write(`${JSON.stringify({ ...order, ...changes })}\n`)
  return agent
}
/** Follows it until it has unpacked; it shares on. */
const received = async (changes: Partial<ReceiveOrder> = {}) => {
  const agent = receive(changes)
  await agent.event('unpacked')
  return agent
}
/** As the plugin does when all servers are done. */
const dismiss = (agent: Agent) => {
  agent.child.stdin?.write('end\n')
  return agent.ended
}
/** What is left of a connection that broke. */
const disconnect = ({ child }: Agent) => {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
}
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
const portOf = async (agent: Agent) => (await agent.event('listening')).port
const into = () => order.unpack?.into ?? ''

async function peers(): Promise<Record<string, unknown>[]> {
  return JSON.parse((await sandbox.run(['status', '--json', '--run-dir', order.directory])).stdout)
}

async function expectNothingLeft() {
  expect(await exists(order.directory)).toBe(false)
  expect(await readdir(sandbox.path('server')).catch(() => [])).not.toContain('transfer')
  const releases = await readdir(sandbox.path('server/releases')).catch(() => [])
  expect(releases).toEqual([])
}

it('gets a package and unpacks it while the peer lingers', async () => {
  await seed()
  const agent = await received()
  const names = agent.events.map(({ event }) => event).filter((name) => name !== 'progress')
  expect(names).toEqual(['ready', 'listening', 'profile', 'downloaded', 'done', 'spent', 'unpacked'])
  expect(agent.events.at(-1)).toMatchObject({ event: 'unpacked', files: 2, bytes: 300_010 })
  expect(await readFile(join(into(), 'pages'), 'utf8')).toBe('page '.repeat(60_000))
  expect((await stat(join(into(), 'link'))).mode & 0o777).toBe(0o755)
  expect(await readFile(join(into(), 'REVISION'), 'utf8')).toBe('abc123\n')
  expect(await peers()).toMatchObject([{ role: 'peer', state: 'lingering', tag: order.tag }])
  expect((await stat(order.directory)).mode & 0o777).toBe(0o700)
  expect((await stat(join(order.directory, 'package'))).mode & 0o777).toBe(0o600)
  expect(await dismiss(agent)).toMatchObject({ code: 0, stderr: '' })
  expect(await exists(order.directory)).toBe(false)
  expect(await exists(into())).toBe(true)
})

it('shares on when the connection is closed after it has unpacked', async () => {
  await seed()
  const agent = await received()
  disconnect(agent)
  const other = await received({
    directory: sandbox.path('other'),
    peers: [`127.0.0.1:${await portOf(agent)}`],
    unpack: { ...order.unpack, into: sandbox.path('other-release') } as never,
  })
  expect(await exists(sandbox.path('other-release/pages'))).toBe(true)
  await dismiss(other)
})

it('waits for its order, says so, and takes empty lines for signs of life', async () => {
  await seed()
  const agent = sandbox.start(['receive'], { stdin: 'open' })
  await agent.event('ready')
  agent.child.stdin?.write(`\n\n${JSON.stringify(order)}\n\n`)
  await agent.event('unpacked')
  expect(await dismiss(agent)).toMatchObject({ code: 0, stderr: '' })
})

it('ends a lingering peer as soon as the directory is removed', async () => {
  await seed()
  await received()
  const [peer] = await peers()
  await rm(order.directory, { recursive: true })
  await hasEnded(peer?.pid)
  expect(await exists(order.directory)).toBe(false)
})

it('tidies up by itself when it has lingered', async () => {
  await seed()
  expect(await receive({ linger: 0.5 }).ended).toMatchObject({ code: 0 })
  await until('the directory to be removed', async () => !(await exists(order.directory)))
  expect(await exists(into())).toBe(true)
})

it('does without lingering', async () => {
  await seed()
  expect(await receive({ linger: 0 }).ended).toMatchObject({ code: 0 })
  await until('the directory to be removed', async () => !(await exists(order.directory)))
  expect(await exists(into())).toBe(true)
})

it('does the order of a version that still filled packages from an earlier release', async () => {
  await seed()
  const earlier = { prefill: { from: sandbox.path('release'), layout: 'x' } } as Partial<ReceiveOrder>
  await received(earlier)
  expect(await readFile(join(into(), 'pages'), 'utf8')).toBe('page '.repeat(60_000))
})

describe('a dropped connection', () => {
  it('leaves the peer at work; the next attempt follows it and unpacks', async () => {
    const first = receive()
    const { pid } = await first.event('listening')
    disconnect(first)
    const second = receive()
    expect((await second.event('listening')).pid).toBe(pid)
    await seed()
    await second.event('unpacked')
    expect(await exists(into())).toBe(true)
    expect(await isRunning(pid)).toBe(true)
    expect(await dismiss(second)).toMatchObject({ code: 0 })
    expect(await isRunning(pid)).toBe(false)
    expect(await exists(order.directory)).toBe(false)
  })

  it('lets the download come to its end, unpacks nothing, and leaves nothing', async () => {
    const agent = receive({ linger: 1 })
    await agent.event('listening')
    disconnect(agent)
    // The next heartbeat tells it.
    await until(
      'the follower to be gone',
      async () => !(await readdir(order.directory)).includes(`receive-${agent.child.pid}`),
    )
    await seed()
    await agent.ended
    await expectNothingLeft()
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('is one thing, %s is another: it ends the peer', async (signal) => {
    const agent = receive()
    await agent.event('listening')
    agent.child.kill(signal)
    expect(await agent.ended).toMatchObject({ code: 130 })
    expect(agent.events.at(-1)).toMatchObject({ event: 'failed', code: 'STOPPED' })
    await expectNothingLeft()
  })

  it('goes on from what is on disk when the peer was killed too', async () => {
    await seed()
    const [pages] = [await readFile(sandbox.path('package'))]
    await sandbox.file('server/transfer/package', pages.subarray(0, 200_000))
    const agent = await received()
    expect(agent.events.find(({ event }) => event === 'downloaded')?.received).toBeLessThan(150_000)
  })

  it('is not known to the earlier process: the next attempt tells it', async () => {
    const first = receive()
    const { pid } = await first.event('listening')
    const second = receive()
    expect((await second.event('listening')).pid).toBe(pid)
    await seed()
    await second.event('unpacked')
    expect(first.events.some(({ event }) => event === 'unpacked')).toBe(false)
    await dismiss(second)
  })

  it('right before the end: the next attempt says that it is unpacked', async () => {
    await seed()
    const first = await received()
    disconnect(first)
    const second = receive()
    await second.event('unpacked')
    expect(await dismiss(second)).toMatchObject({ code: 0 })
    expect(await exists(order.directory)).toBe(false)
    expect(second.events.filter(({ event }) => event !== 'progress' && event !== 'ready')).toEqual([
      { event: 'done', at: expect.any(Number) },
      { ...first.events.find(({ event }) => event === 'unpacked'), at: expect.any(Number) },
    ])
  })

  it('long before the next attempt, when the peer has lingered and ended: that says that it is unpacked', async () => {
    await seed()
    const first = await received({ linger: 4 })
    const [peer] = await peers()
    disconnect(first)
    await hasEnded(peer?.pid)
    await until('the end of its files', async () => (await readdir(order.directory)).length === 1)
    expect(await readdir(order.directory)).toEqual(['unpacked.json'])
    const second = await received()
    expect(second.events.some(({ event }) => event === 'downloaded')).toBe(false)
    expect(await dismiss(second)).toMatchObject({ code: 0 })
    expect(await exists(order.directory)).toBe(false)
  })

  it('by a kill before the release got its name: the next attempt makes it again', async () => {
    await seed()
    const first = await received()
    first.child.kill('SIGKILL')
    await first.ended
    await rename(into(), sandbox.path('server/releases/.20260102030405.partial'))
    const second = await received()
    expect(second.events.some(({ event }) => event === 'downloaded')).toBe(true)
    expect(await readdir(sandbox.path('server/releases'))).toEqual(['20260102030405'])
    await dismiss(second)
  })
})

describe('an order with a magnet in place of the torrent', () => {
  const expectRelease = async () =>
    expect(await readFile(sandbox.path('server/releases/20260102030405/pages'), 'utf8')).toBe(
      'page '.repeat(60_000),
    )
  const kept = () => sandbox.path('server/transfer/metadata')
  const byMagnet = async (): Promise<Partial<ReceiveOrder>> => {
    const magnet = magnetOf(parseMetainfo(await readFile(sandbox.path('package.torrent'))))
    return defined({ magnet })
  }

  it('is carried out as any other', async () => {
    await seed()
    const agent = await received(await byMagnet())
    await expectRelease()
    await dismiss(agent)
    expect(await exists(order.directory)).toBe(false)
  })

  it.each([
    ['goes on from what is on disk when the metadata was kept', true],
    ['begins anew when it was not: nothing on disk can be verified', false],
  ])('%s', async (_, isKept) => {
    const { info } = parseMetainfo(await readFile(sandbox.path('package.torrent')))
    if (isKept) await sandbox.file('server/transfer/metadata', Buffer.from(info))
    await sandbox.file(
      'server/transfer/package',
      (await readFile(sandbox.path('package'))).subarray(0, 200_000),
    )
    await seed()
    const agent = await received(await byMagnet())
    const { received: bytes } = agent.events.find(({ event }) => event === 'downloaded') ?? {}
    if (isKept) expect(bytes).toBeLessThan(150_000)
    else expect(bytes).toBeGreaterThan(250_000)
    expect(await readFile(kept())).toEqual(Buffer.from(info))
    await expectRelease()
  })

  it('does not use metadata that was kept and is other', async () => {
    await sandbox.file('server/transfer/metadata', 'd6:lengthi5ee')
    await seed()
    await received(await byMagnet())
    await expectRelease()
  })
})

describe('a failure leaves nothing behind:', () => {
  it('a package that is not the one that was sent', async () => {
    await seed()
    const agent = receive({ sha256: '0'.repeat(64) })
    expect(await agent.ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^murder: .*SHA-256/) })
    expect(agent.events.at(-1)).toMatchObject({
      event: 'failed',
      code: 'PACKAGE_WRONG',
      exitCode: 1,
      cure: expect.stringMatching(/./),
    })
    await expectNothingLeft()
  })

  it('a seeder that cannot be reached', async () => {
    const agent = receive({ timeouts: { connect: 0.5, stall: 30, total: 0 } })
    expect(await agent.ended).toMatchObject({ code: 3 })
    expect(agent.events.at(-1)).toMatchObject({
      code: 'NOT_CONNECTED',
      message: new RegExp(`127.0.0.1:${seederPort}`),
    })
    const { pid } = await agent.event('listening')
    expect(await isRunning(pid)).toBe(false)
    await expectNothingLeft()
  })

  it('a seeder that cannot be reached, after the follower has left', async () => {
    const agent = receive({ timeouts: { connect: 1.5, stall: 30, total: 0 } })
    const { pid } = await agent.event('listening')
    disconnect(agent)
    await hasEnded(pid)
    await expectNothingLeft()
  })

  it('a directory that is removed in the middle', async () => {
    const agent = receive()
    const { pid } = await agent.event('listening')
    await rm(order.directory, { recursive: true })
    expect(await agent.ended).toMatchObject({ code: 130 })
    await hasEnded(pid)
    await expectNothingLeft()
  })

  it('a release that is there already', async () => {
    await seed()
    await sandbox.file('server/releases/20260102030405/file', 'kept')
    const agent = receive()
    expect(await agent.ended).toMatchObject({ code: 1 })
    expect(agent.events.at(-1)).toMatchObject({ event: 'failed', code: 'RELEASE_EXISTS' })
    expect(await readdir(into())).toEqual(['file'])
    expect(await exists(order.directory)).toBe(false)
  })
})

describe('an order that cannot be used', () => {
  it.each([
    ['is not JSON', () => 'hello', /it is not JSON/],
    ['is empty', () => '', /it is not JSON/],
    ['is null', () => 'null', /'tag'/],
    ['lacks the digest', () => JSON.stringify({ ...order, sha256: undefined }), /'sha256'/],
    ['has a relative directory', () => JSON.stringify({ ...order, directory: 'x' }), /'directory'/],
    ['has a tag that is a path', () => JSON.stringify({ ...order, tag: '../../x' }), /the tag '..\/..\/x'/],
    ['has ports that are none', () => JSON.stringify({ ...order, ports: [1, 70_000] }), /'ports'/],
    ['has no linger', () => JSON.stringify({ ...order, linger: null }), /'linger'/],
    [
      'has an unknown compression',
      () => JSON.stringify({ ...order, unpack: { into: '/x', compression: 'lzw' } }),
      /'unpack.compression'/,
    ],
    ['has a broken torrent', () => JSON.stringify({ ...order, torrent: 'aGVsbG8=' }), /no usable torrent/],
  ])('%s', async (_, stdin, message) => {
    const agent = sandbox.start(['receive'], { stdin: stdin() })
    const { code, stderr } = await agent.ended
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(agent.events).toMatchObject([{ event: 'ready' }, { event: 'failed', message, exitCode: 2 }])
    expect(await exists(order.directory)).toBe(false)
  })
})
