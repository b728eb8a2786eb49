import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundledAgent, freePort, hasEnded, isRunning, Sandbox } from '../support/harness/agent-harness.ts'

const bundled = bundledAgent()
let sandbox: Sandbox
let trackerPort: number

beforeEach(async () => {
  sandbox = await Sandbox.make(bundled.program)
  trackerPort = await freePort()
})
afterEach(() => sandbox.end())

/** Tracker and seeder of a random file, both in the background. */
async function swarm(bytes = 300_000, seederFlags: string[] = []) {
  const made = await sandbox.torrent(bytes, trackerPort)
  await sandbox.run(['tracker', '--port', String(trackerPort)])
  const seeder = await sandbox.run(['seed', 'data.torrent', 'data', '--ports', '20000-29999', ...seederFlags])
  expect(seeder).toMatchObject({ code: 0 })
  return made
}

/** A peer that nobody has anything for: it waits. */
const waitingPeer = (...flags: string[]) => [
  'peer',
  'data.torrent',
  'copy',
  '--ports',
  '20000-29999',
  '--tag',
  'p',
  ...flags,
]

describe('by hand', () => {
  it('gets a file, says Done and done, and lingers', async () => {
    const { content, infoHash } = await swarm()
    const peer = await sandbox.run(waitingPeer('--linger', '60'))
    expect(peer).toMatchObject({ code: 0, stdout: 'Done and done\n' })
    expect(peer.stderr).toContain(infoHash)
    expect(peer.stderr).toContain('Sharing for 60 s more in the background')
    expect(await readFile(sandbox.path('copy'))).toEqual(content)
    const { state, bytes, total } = await sandbox.runOf('peer')
    expect({ state, bytes, total }).toEqual({
      state: 'lingering',
      bytes: content.length,
      total: content.length,
    })
  })

  it('counts nothing as kept of a file of the same size with other bytes, and all of one with the same', async () => {
    const { content } = await swarm()
    const again = async () => {
      const { stdout } = await sandbox.run(waitingPeer('--no-linger', '--json'))
      const events = stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
      return events.find(({ event }) => event === 'downloaded')
    }
    await sandbox.file('copy', Buffer.from(content.map((byte) => byte ^ 255)))
    expect(await again()).toMatchObject({ kept: 0, received: content.length })
    expect(await again()).toMatchObject({ kept: content.length, received: 0 })
  })

  it('tells Prometheus what the seeder has sent, and refuses a port that is taken', async () => {
    const port = await freePort()
    await swarm(300_000, ['--metrics', String(port)])
    await sandbox.run(waitingPeer('--no-linger'))
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(text).toMatch(/^murder_seeder_sent_bytes_total\{info_hash="[0-9a-f]{40}"\} 300000$/m)
    const other = await sandbox.run([
      'seed',
      'data.torrent',
      'data',
      '--tag',
      'other',
      '--metrics',
      `127.0.0.1:${port}`,
    ])
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^murder: .*127\.0\.0\.1 port \d+ for \/metrics/),
    })
  })

  it('ends by itself when it has lingered, and leaves nothing', async () => {
    await swarm()
    const peer = sandbox.start(waitingPeer('--linger', '0.5', '--json'))
    expect(await peer.ended).toMatchObject({ code: 0 })
    await hasEnded((await peer.event('listening')).pid)
    expect(await sandbox.leftovers()).not.toContain('peer-p')
  })

  it("tells a seeder's and a tracker's facts and how to stop them", async () => {
    const { infoHash } = await sandbox.torrent(100_000, trackerPort)
    const tracker = await sandbox.run(['tracker', '--port', String(trackerPort)])
    expect(tracker.stdout).toContain(`:${trackerPort}/announce`)
    expect(tracker.stdout).toContain(`murder stop ${trackerPort}`)
    const seeder = await sandbox.run(['seed', 'data.torrent', 'data', '--tag', 's', '--port', '0'])
    expect(seeder.stderr).toBe('')
    for (const fact of [infoHash, `http://127.0.0.1:${trackerPort}/announce`, '97.7 KiB', 'murder stop s']) {
      expect(seeder.stdout).toContain(fact)
    }
    const { pid, port } = await sandbox.runOf('seeder')
    expect(seeder.stdout).toMatch(new RegExp(`port +${port}\\n +pid +${pid}\\n`))
  })

  it('says when the tracker of a seeder is not there', async () => {
    await sandbox.torrent(1000, trackerPort)
    const seeder = await sandbox.run(['seed', 'data.torrent', 'data'])
    expect(seeder.code).toBe(0)
    expect(seeder.stderr).toContain(
      `http://127.0.0.1:${trackerPort}/announce cannot be reached (ECONNREFUSED)`,
    )
  })

  it('starts nothing twice', async () => {
    await swarm()
    const again = await sandbox.run(['seed', 'data.torrent', 'data'])
    expect(again).toMatchObject({ code: 0 })
    expect(again.stderr).toContain('runs already')
    expect(await sandbox.run(['tracker', '--port', String(trackerPort)])).toMatchObject({ code: 0 })
    expect(await sandbox.status()).toHaveLength(2)
  })

  it('gives events as JSON lines, Done and done as one of them', async () => {
    const { content, infoHash } = await swarm()
    const peer = sandbox.start(waitingPeer('--json', '--no-linger'))
    expect(await peer.ended).toMatchObject({ code: 0, stderr: '' })
    const names = peer.events.map(({ event }) => event)
    expect(names).toContain('progress')
    expect(names.filter((name) => name !== 'progress')).toEqual(['listening', 'downloaded', 'done'])
    expect(peer.events.find(({ event }) => event === 'listening')).toMatchObject({ infoHash })
    expect(peer.events.find(({ event }) => event === 'downloaded')).toMatchObject({
      bytes: content.length,
      total: content.length,
      received: content.length,
    })
  })

  it('checks the content again when the command is run again', async () => {
    const { content } = await swarm()
    await sandbox.run(waitingPeer('--linger', '60'))
    const first = await sandbox.runOf('peer')
    await rm(sandbox.path('copy'))
    expect(await sandbox.run(waitingPeer('--linger', '60'))).toMatchObject({
      code: 0,
      stdout: 'Done and done\n',
    })
    expect(await readFile(sandbox.path('copy'))).toEqual(content)
    expect((await sandbox.runOf('peer')).pid).not.toBe(first.pid)
    expect(await isRunning(first.pid)).toBe(false)
  })

  it('shares in the foreground when told to, and ends by itself', async () => {
    await swarm()
    const peer = sandbox.start(waitingPeer('--foreground', '--json', '--linger', '1'))
    await peer.event('done')
    expect((await sandbox.runOf('peer')).pid).toBe(peer.child.pid)
    expect(await peer.ended).toMatchObject({ code: 0 })
    expect(await sandbox.leftovers()).not.toContain('peer-p')
  })

  it('reads the torrent from standard input', async () => {
    await swarm()
    const child = sandbox.start(['peer', '-', 'copy', '--no-linger'], { stdin: 'open' })
    child.child.stdin?.end(await readFile(sandbox.path('data.torrent')))
    expect(await child.ended).toMatchObject({ code: 0, stdout: 'Done and done\n' })
  })
})

describe('interrupted', () => {
  it('goes on when its follower is killed; the next one follows the same peer', async () => {
    const { content } = await sandbox.torrent(200_000, trackerPort)
    await sandbox.run(['tracker', '--port', String(trackerPort)])
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid, port } = await follower.event('listening')
    follower.child.kill('SIGKILL')
    await follower.ended
    expect(await isRunning(pid)).toBe(true)
    const second = sandbox.start(waitingPeer('--json'))
    expect((await second.event('listening')).pid).toBe(pid)
    await sandbox.run(['seed', 'data.torrent', 'data', '--port', '0', '--peer', `127.0.0.1:${port}`])
    expect(await second.ended).toMatchObject({ code: 0 })
    expect(await readFile(sandbox.path('copy'))).toEqual(content)
  })

  it('goes on when its terminal hangs up', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid } = await follower.event('listening')
    follower.child.kill('SIGHUP')
    expect(await follower.ended).toMatchObject({ code: 130 })
    expect(await isRunning(pid)).toBe(true)
  })

  it('ends quietly when its reader has left, and the peer goes on', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid } = await follower.event('listening')
    follower.child.stdout?.destroy()
    expect(await follower.ended).toMatchObject({ code: 130 })
    expect(follower.stderr).not.toMatch(/\n {4}at /)
    expect(await isRunning(pid)).toBe(true)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('stops the peer too on %s', async (signal) => {
    await sandbox.torrent(200_000, trackerPort)
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid } = await follower.event('listening')
    follower.child.kill(signal)
    const ended = await follower.ended
    expect(ended.code).toBe(130)
    expect(ended.stderr).toMatch(/^murder: interrupted; the peer p was stopped — .*the same command goes on/)
    expect(await isRunning(pid)).toBe(false)
    expect(await sandbox.leftovers()).toEqual([])
  })

  it('ends a foreground peer on SIGINT, with nothing left running', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const peer = sandbox.start(waitingPeer('--json', '--foreground'))
    await peer.event('listening')
    peer.child.kill('SIGINT')
    expect(await peer.ended).toMatchObject({ code: 130 })
    expect(await sandbox.leftovers()).toEqual([])
  })

  it('says so when its background process is killed', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid } = await follower.event('listening')
    process.kill(pid as number, 'SIGKILL')
    expect(await follower.ended).toMatchObject({ code: 1 })
    expect(follower.events.at(-1)).toMatchObject({ event: 'failed', code: 'DIED' })
  })

  it('ends a background peer when its run folder is removed', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid } = await follower.event('listening')
    await rm(join(sandbox.runs, 'peer-p'), { recursive: true })
    await hasEnded(pid)
    expect(await follower.ended).toMatchObject({ code: 130 })
    expect(follower.events.at(-1)).toMatchObject({ event: 'failed', code: 'STOPPED' })
    expect(await sandbox.leftovers()).toEqual([])
  })
})

describe('stop and status', () => {
  it('stops by tag, waits, and tells a follower', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid } = await follower.event('listening')
    const stopped = await sandbox.run(['stop', 'p'])
    expect(stopped).toEqual({ code: 0, stdout: `Stopped the peer p (pid ${pid})\n`, stderr: '' })
    expect(await isRunning(pid)).toBe(false)
    expect(await follower.ended).toMatchObject({ code: 130 })
    expect(follower.events.at(-1)).toMatchObject({ event: 'failed', code: 'STOPPED' })
    expect(await sandbox.leftovers()).toEqual([])
  })

  it('kills a process that does not end', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const follower = sandbox.start(waitingPeer('--json'))
    const { pid } = await follower.event('listening')
    process.kill(pid as number, 'SIGSTOP')
    expect(await sandbox.run(['stop', '--all'])).toMatchObject({ code: 0 })
    expect(await isRunning(pid)).toBe(false)
    expect(await follower.ended).toMatchObject({ code: 1 })
  })

  it('takes it easy when there is nothing to stop', async () => {
    expect(await sandbox.run(['stop', 'nobody'])).toEqual({
      code: 0,
      stdout: 'nobody does not run\n',
      stderr: '',
    })
    expect(await sandbox.run(['stop', '--all'])).toEqual({
      code: 0,
      stdout: 'Nothing runs here\n',
      stderr: '',
    })
    expect(await sandbox.run(['status'])).toEqual({ code: 0, stdout: 'Nothing runs here\n', stderr: '' })
  })

  it('lists what runs', async () => {
    const { infoHash } = await swarm()
    const runs = await sandbox.status()
    expect(runs).toMatchObject([
      { role: 'tracker', state: 'running', port: trackerPort },
      { role: 'seeder', state: 'running', infoHash, path: sandbox.path('data') },
    ])
    const { stdout } = await sandbox.run(['status'])
    expect(stdout).toMatch(/^ROLE +TAG +STATE +HAS +DOWN +UP +PEERS +PORT +AGE +PID\n/)
    expect(stdout).toMatch(/\nseeder +data-\w{6} +running +100% /)
  })

  it('remembers why a peer failed until the next stop', async () => {
    await sandbox.torrent(200_000, trackerPort)
    await sandbox.run(waitingPeer('--connect-timeout', '0.3'))
    expect(await sandbox.status()).toMatchObject([
      { role: 'peer', state: 'failed', failure: expect.stringMatching(/connected to nobody/) },
    ])
    await sandbox.run(['stop', 'p'])
    expect(await sandbox.status()).toEqual([])
  })

  it('ends a foreground seeder and tracker when standard input closes', async () => {
    await sandbox.torrent(200_000, trackerPort)
    const until = ['--foreground', '--until-eof', '--json']
    const tracker = sandbox.start(['tracker', '--port', String(trackerPort), ...until], { stdin: 'open' })
    await tracker.event('listening')
    const seeder = sandbox.start(['seed', 'data.torrent', 'data', '--port', '0', ...until], { stdin: 'open' })
    expect(await seeder.event('listening')).toMatchObject({ pid: seeder.child.pid })
    for (const agent of [seeder, tracker]) {
      agent.child.stdin?.end()
      expect(await agent.ended).toMatchObject({ code: 0, stderr: '' })
    }
    expect(await sandbox.leftovers()).toEqual([])
  })
})

describe('verify', () => {
  it('tells for every file whether it is the same', async () => {
    for (const name of ['a', 'b/c', 'd']) await sandbox.file(`tree/${name}`, name.repeat(40_000))
    await sandbox.run(['make-torrent', 'tree', '127.0.0.1:1', 'tree.torrent', '--piece-length', '16K'])
    expect(await sandbox.run(['verify', 'tree.torrent', 'tree'])).toMatchObject({ code: 0 })
    await sandbox.file('tree/a', 'A'.repeat(40_000))
    await rm(sandbox.path('tree/d'))
    const { code, stdout } = await sandbox.run(['verify', 'tree.torrent', 'tree', '--json'])
    expect(code).toBe(1)
    const states = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    expect(states).toContainEqual({ path: 'a', state: 'different' })
    expect(states).toContainEqual({ path: 'd', state: 'missing' })
  })
})
