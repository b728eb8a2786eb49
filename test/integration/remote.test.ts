import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ExampleFleet, type Remote, startFleet } from '../../examples/fleet/index.ts'
import { MurderError } from '../../src/errors.ts'
import type { Outcome } from '../../src/fleet/command.ts'
import { Fleet, type FleetOptions } from '../../src/fleet/fleet.ts'
import type { Server, SshRemote } from '../../src/fleet/ssh/server.ts'
import { type Upload, upload } from '../../src/fleet/upload.ts'
import { parseEvent } from '../../src/protocol/events.ts'
import { quote } from '../../src/text/shell-quote.ts'
import { type PoolOptions, poolOf } from '../support/pool.ts'
import { descendants } from '../support/processes.ts'

let root: string
let example: ExampleFleet
const cleanups: (() => unknown)[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fleet-test-'))
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(count: number, options: FleetOptions = {}, extra: SshRemote[] = []): Promise<Fleet> {
  example = await startFleet({ count, root })
  cleanups.push(() => example.stop())
  return connect([...example.remotes, ...extra], options)
}

function connect(remotes: SshRemote[], options: FleetOptions = {}, pool: PoolOptions = {}): Fleet {
  const fleet = new Fleet(poolOf(remotes, { key: example.keyPath, ...pool }), options)
  cleanups.push(() => fleet.close())
  return fleet
}

const stdouts = (outcomes: Outcome[]) =>
  outcomes.map((outcome) => (outcome.ok ? outcome.stdout : outcome.error.message))
const codes = (outcomes: Outcome[]) => outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))
const errorOf = (outcomes: Outcome[]) => {
  const failed = outcomes.find((outcome) => !outcome.ok)
  return failed?.ok === false ? failed.error : undefined
}

describe('running', () => {
  test('one command on one server gives its stdout, or throws its failure', async () => {
    const fleet = await start(2)
    const [first, second] = fleet.servers as [Server, Server]
    expect(await fleet.one(second, 'try', { script: 'echo "$HOME"; cat', stdin: 'in' })).toBe(
      `${example.servers[1]?.home}\nin`,
    )
    expect(example.servers.map((server) => server.logins())).toEqual([0, 1])
    const failing = fleet.one(first, 'try', { script: 'echo broken >&2; exit 3' })
    await expect(failing).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: `${first.label}: try: broken`,
      server: first.label,
    })
    const slow = fleet.one(first, 'try', { script: 'sleep 9' }, { totalTimeoutS: 0.2 })
    await expect(slow).rejects.toMatchObject({ code: 'TIMED_OUT' })
    fleet.leaveOut([first])
    expect(await fleet.one(first, 'try', { script: 'echo here' })).toBe('here\n')
  })

  test('each server gets its own script and input, in its own home', async () => {
    const fleet = await start(3)
    const outcomes = await fleet.run('try', ({ label }) => ({
      script: `printf '%s ' ${quote(label)} "$PWD" "$HOME"; cat`,
      stdin: `for ${label}`,
    }))
    expect(stdouts(outcomes)).toEqual(
      example.servers.map(({ host, port, home }) => {
        const label = `deploy@${host}:${port}`
        return `${label} ${home} ${home} for ${label}`
      }),
    )
  })

  test('a server tells under which address it sees this machine', async () => {
    const fleet = await start(1)
    const [stdout] = stdouts(await fleet.run('try', () => ({ script: 'echo "$SSH_CONNECTION"' })))
    const { host, port } = example.servers[0] ?? {}
    expect(stdout).toMatch(new RegExp(`^127\\.0\\.0\\.1 \\d+ ${host} ${port}\n$`))
  })

  test('values are inert on both machines', async () => {
    const fleet = await start(1)
    const mark = join(root, 'hacked')
    const values = [
      `$(touch ${mark})`,
      `\`touch ${mark}\``,
      `'; touch ${mark}; '`,
      `a\ntouch ${mark}\n`,
      `-n`,
      '"$HOME"',
    ]
    const outcomes = await fleet.run('try', () => ({ script: `printf '%s|' ${values.map(quote).join(' ')}` }))
    expect(stdouts(outcomes)).toEqual([values.map((value) => `${value}|`).join('')])
    expect(existsSync(mark)).toBe(false)
  })

  test('all commands of a server share one login, also when the first ones come at once', async () => {
    const fleet = await start(2)
    await Promise.all(Array.from({ length: 6 }, () => fleet.run('try', () => ({ script: 'true' }))))
    await fleet.run('try', () => ({ script: 'true' }))
    expect(example.servers.map((server) => server.logins())).toEqual([1, 1])
  })

  test('Shipit’s own commands share it too', async () => {
    const fleet = await start(1)
    await fleet.run('try', () => ({ script: 'true' }))
    const { connection } = fleet.servers[0] as {
      connection: { run?(command: string): Promise<{ stdout: string }> }
    }
    expect(await connection.run?.('echo hello')).toMatchObject({ stdout: 'hello\n' })
    expect(example.servers[0]?.logins()).toBe(1)
  })

  test('a connection that broke is made again', async () => {
    const fleet = await start(1)
    for (let logins = 1; logins <= 3; logins++) {
      expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['ok'])
      expect(example.servers[0]?.logins()).toBe(logins)
      example.servers[0]?.disconnect()
    }
  })

  test('large inputs and outputs arrive whole', async () => {
    const fleet = await start(2)
    const bytes = randomBytes(6 << 20).toString('hex')
    const outcomes = await fleet.run('try', () => ({ script: 'cat', stdin: bytes }), {
      maxOutputBytes: 1 << 24,
    })
    expect(stdouts(outcomes).map((stdout) => stdout === bytes)).toEqual([true, true])
  })

  test('an input may be a stream', async () => {
    const fleet = await start(1)
    const stdin = () => Readable.from(['one ', 'two'])
    expect(stdouts(await fleet.run('try', () => ({ script: 'cat', stdin })))).toEqual(['one two'])
  })

  test('a stream that fails is that server’s failure', async () => {
    const fleet = await start(1)
    const stdin = () =>
      new Readable({
        read() {
          this.destroy(new Error('the disk is on fire'))
        },
      })
    expect(errorOf(await fleet.run('try', () => ({ script: 'cat', stdin })))?.message).toMatch(
      /: try: the disk is on fire$/,
    )
  })

  test('a command that does not read its input succeeds all the same', async () => {
    const fleet = await start(1)
    expect(codes(await fleet.run('try', () => ({ script: 'exit 0', stdin: randomBytes(3 << 20) })))).toEqual([
      'ok',
    ])
  })

  test('lines come while the command runs', async () => {
    const fleet = await start(1)
    const lines: string[] = []
    const seen = join(root, 'seen')
    const script = `echo '{"event":"done"}'; until [ -e ${quote(seen)} ]; do sleep 0.05; done; printf 'the end'`
    const outcomes = await fleet.run('try', () => ({
      script,
      onLine(line) {
        lines.push(line)
        if (parseEvent(line)?.event === 'done') writeFileSync(seen, '')
      },
    }))
    expect(outcomes).toMatchObject([{ ok: true, stdout: '' }])
    expect(lines).toEqual(['{"event":"done"}', 'the end'])
  })
})

describe('failures', () => {
  test('of one server don’t lose the results of the others', async () => {
    const fleet = await start(3)
    const script = (label: string) => (label.includes('127.0.0.3') ? 'echo broken >&2; exit 3' : 'echo fine')
    const outcomes = await fleet.run('try', ({ label }) => ({ script: script(label) }))
    expect(codes(outcomes)).toEqual(['ok', 'COMMAND_FAILED', 'ok'])
    const label = fleet.servers[1]?.label
    expect(errorOf(outcomes)).toMatchObject({ message: `${label}: try: broken`, server: label, step: 'try' })
  })

  test('of the connection are told apart', async () => {
    const silent = createServer(() => {})
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    cleanups.push(() => silent.close())
    const { port } = silent.address() as { port: number }
    const extra = [
      { host: '127.0.0.1', port: 1, user: 'deploy' },
      { host: 'no-such-host.invalid', user: 'deploy' },
      { host: '127.0.0.1', port, user: 'deploy' },
    ]
    const fleet = await start(1, { connectSeconds: 2 }, extra)
    const outcomes = await fleet.run('try', () => ({ script: 'true' }))
    expect(codes(outcomes)).toEqual(['ok', 'SSH_REFUSED', 'SSH_DNS', 'SSH_TIMEOUT'])
  })

  test('a wrong key, a wrong user', async () => {
    await start(1)
    const [remote] = example.remotes as [Remote, ...Remote[]]
    const other = await startFleet({ count: 1, root: join(root, 'other') })
    cleanups.push(() => other.stop())
    const wrongKey = connect([remote], {}, { key: other.keyPath })
    expect(codes(await wrongKey.run('try', () => ({ script: 'true' })))).toEqual(['SSH_DENIED'])
    const wrongUser = connect([{ ...remote, user: 'nobody' }])
    expect(codes(await wrongUser.run('try', () => ({ script: 'true' })))).toEqual(['SSH_DENIED'])
  })

  test('an unknown host key, a changed host key', async () => {
    await start(1)
    const [remote] = example.remotes as [Remote, ...Remote[]]
    const knownHosts = (file: string) => ({
      ...remote,
      extraSshOptions: { ...remote.extraSshOptions, UserKnownHostsFile: join(root, file) },
    })
    const other = await startFleet({ count: 1, root: join(root, 'other') })
    cleanups.push(() => other.stop())
    const foreign = readFileSync(other.knownHostsPath, 'utf8').split(' ').slice(1).join(' ')
    writeFileSync(join(root, 'wrong'), `[${remote.host}]:${remote.port} ${foreign}`)
    expect(codes(await connect([knownHosts('none')]).run('try', () => ({ script: 'true' })))).toEqual([
      'SSH_HOST_KEY_UNKNOWN',
    ])
    expect(codes(await connect([knownHosts('wrong')]).run('try', () => ({ script: 'true' })))).toEqual([
      'SSH_HOST_KEY_CHANGED',
    ])
  })

  test('a command that is missing', async () => {
    const fleet = await start(1)
    const error = errorOf(await fleet.run('try', () => ({ script: 'no-such-command' })))
    expect(error?.code).toBe('COMMAND_NOT_FOUND')
    expect(error?.message).toContain('no-such-command')
  })

  test('a command killed on the server', async () => {
    const fleet = await start(1)
    expect(codes(await fleet.run('try', () => ({ script: 'echo going >&2; kill -9 $$' })))).toEqual([
      'COMMAND_KILLED',
    ])
  })

  test('the connection lost midway', async () => {
    const fleet = await start(1)
    const outcomes = await fleet.run('try', () => ({
      script: 'echo up; sleep 60',
      onLine: () => void example.stop(),
    }))
    expect(codes(outcomes)).toEqual(['SSH_LOST'])
  })

  test('what a line handler throws is that server’s failure, with its code and cure', async () => {
    const fleet = await start(2)
    const outcomes = await fleet.run('try', ({ label }) => ({
      script: label.includes('127.0.0.2') ? 'echo bad; sleep 60' : 'echo good',
      onLine(line) {
        if (line === 'bad') throw new MurderError('TOLD_SO', 'it said so', { cure: 'listen' })
      },
    }))
    expect(codes(outcomes)).toEqual(['TOLD_SO', 'ok'])
    expect(errorOf(outcomes)).toMatchObject({
      message: `${fleet.servers[0]?.label}: try: it said so`,
      cure: 'listen',
    })
  })

  test('more output than allowed', async () => {
    const fleet = await start(1)
    const outcomes = await fleet.run('try', () => ({ script: 'while :; do echo more; done' }), {
      maxOutputBytes: 10_000,
    })
    expect(codes(outcomes)).toEqual(['OUTPUT_TOO_LONG'])
  })

  test('a mistake in the plan is the caller’s', async () => {
    const fleet = await start(1)
    await expect(fleet.run('try', () => ({ script: quote('\0') }))).rejects.toThrow('cannot be passed')
  })
})

describe('limits', () => {
  test('a command that goes silent is stalled, one that goes on is not', async () => {
    const fleet = await start(2)
    const outcomes = await fleet.run(
      'try',
      ({ label }) => ({
        script: label.includes('127.0.0.2')
          ? 'echo a; sleep 60'
          : 'for n in 1 2 3 4 5 6; do sleep 0.5; echo $n; done',
      }),
      { stallTimeoutS: 2 },
    )
    expect(codes(outcomes)).toEqual(['STALLED', 'ok'])
  })

  test('a command that is slow to take its input is not stalled', async () => {
    const fleet = await start(1)
    // About 2 MB/s. The last 2 MB are in ssh's buffers already, so no one here sees them move.
    const script =
      'for n in 1 2 3 4 5 6 7 8 9 10; do head -c 1000000 >/dev/null; sleep 0.5; done; cat >/dev/null'
    const stdin = Buffer.alloc(10_000_000)
    expect(codes(await fleet.run('try', () => ({ script, stdin }), { stallTimeoutS: 3 }))).toEqual(['ok'])
  })

  test('a command that goes on for too long is ended', async () => {
    const fleet = await start(1)
    const outcomes = await fleet.run('try', () => ({ script: 'while :; do echo more; sleep 0.1; done' }), {
      totalTimeoutS: 2,
    })
    expect(codes(outcomes)).toEqual(['TIMED_OUT'])
  })

  test('no more servers than allowed are being connected to at a time', async () => {
    let open = 0
    let most = 0
    let refused = 0
    // Turns every connection away a little later, so that those of one time are seen together.
    const listener = createServer((socket) => {
      most = Math.max(most, ++open)
      socket.on('error', () => {})
      socket.resume()
      socket.once('close', () => open--)
      setTimeout(() => {
        refused++
        socket.end('SSH-2.0-Refuser\r\n')
      }, 100)
    })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    cleanups.push(() => listener.close())
    const { port } = listener.address() as { port: number }
    await start(1)
    const users = Array.from({ length: 7 }, (_, index) => ({ host: '127.0.0.1', port, user: `user${index}` }))
    const fleet = connect(users, { concurrency: 2, retries: 0 })
    await fleet.run('try', () => ({ script: 'true' }))
    expect(refused).toBe(7)
    expect(most).toBe(2)
  })

  test('commands that have started don’t keep others from starting', async () => {
    const fleet = await start(3, { concurrency: 1 })
    const files = fleet.servers.map((_, index) => join(root, `up${index}`))
    // Each waits for all: that ends only when they run at the same time.
    const outcomes = await fleet.run(
      'try',
      (server) => ({
        script: `: > ${quote(files[fleet.servers.indexOf(server)] ?? '')}; for f in ${files.map(quote).join(' ')}; do until [ -e "$f" ]; do sleep 0.05; done; done`,
      }),
      { totalTimeoutS: 20 },
    )
    expect(codes(outcomes)).toEqual(['ok', 'ok', 'ok'])
  })
})

describe('ending', () => {
  test('an abort ends everything at once, also what waits for its turn', async () => {
    const fleet = await start(3, { concurrency: 2 })
    const abort = new AbortController()
    const hanging = createServer(() => abort.abort())
    hanging.listen(0, '127.0.0.1')
    await once(hanging, 'listening')
    cleanups.push(() => hanging.close())
    const { port } = hanging.address() as { port: number }
    const users = Array.from({ length: 4 }, (_, index) => ({ host: '127.0.0.1', port, user: `user${index}` }))
    const stuck = connect(users, { concurrency: 2 })
    const outcomes = await stuck.run('try', () => ({ script: 'true' }), { signal: abort.signal })
    expect(codes(outcomes)).toEqual(Array(4).fill('INTERRUPTED'))
    expect(errorOf(outcomes)?.exitCode).toBe(130)

    const later = new AbortController()
    const running = fleet.run('try', () => ({ script: 'echo up; sleep 60', onLine: () => later.abort() }), {
      signal: later.signal,
    })
    expect(codes(await running)).toEqual(Array(3).fill('INTERRUPTED'))
    await Promise.all([fleet.close(), stuck.close()])
    expect(descendants().filter((args) => args.includes('ssh'))).toEqual([])
  })

  test('an abort’s own reason is the failure', async () => {
    const fleet = await start(1)
    const signal = AbortSignal.abort(new MurderError('OTHER_FAILED', 'another server failed'))
    expect(codes(await fleet.run('try', () => ({ script: 'true' }), { signal }))).toEqual(['OTHER_FAILED'])
  })

  test('closing leaves neither processes nor sockets nor options behind', async () => {
    const fleet = await start(2, { controlDirectory: root })
    const sockets = () => readdirSync(root).filter((name) => name.startsWith('murder-'))
    await fleet.run('try', () => ({ script: 'true' }))
    expect(descendants().filter((args) => args.includes('ssh'))).toHaveLength(2)
    expect(sockets()).toHaveLength(1)
    await fleet.close()
    await fleet.close()
    expect(descendants().filter((args) => args.includes('ssh'))).toEqual([])
    expect(sockets()).toEqual([])
    expect(fleet.servers.map(({ connection }) => connection.remote)).toEqual(example.remotes)
    expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['CLOSED', 'CLOSED'])
  })
})

/** The outcome of an upload to each server. */
const uploadToAll = (fleet: Fleet, file: Upload): Promise<Outcome[]> =>
  Promise.all(
    fleet.servers.map(async (server): Promise<Outcome> => {
      try {
        await upload(fleet, server, file)
        return { server, ok: true, stdout: '', stderr: '' }
      } catch (error) {
        return { server, ok: false, error: error as MurderError }
      }
    }),
  )

describe('upload', () => {
  test('puts the content in place with its mode, in directories it makes', async () => {
    const fleet = await start(2)
    const content = randomBytes(2 << 20)
    const to = "some dir/it's $HOME/agent.mjs"
    expect(codes(await uploadToAll(fleet, { content, to, mode: 0o755 }))).toEqual(['ok', 'ok'])
    for (const { home } of example.servers) {
      const path = join(home, to)
      expect(readFileSync(path).equals(content)).toBe(true)
      expect(statSync(path).mode & 0o777).toBe(0o755)
      expect(readdirSync(join(path, '..'))).toEqual(['agent.mjs'])
    }
  })

  test('takes a stream, an empty file, a path at home', async () => {
    const fleet = await start(1)
    const home = example.servers[0]?.home ?? ''
    const open = () => Readable.from([Buffer.from('content')])
    expect(codes(await uploadToAll(fleet, { content: { bytes: 7, open }, to: '~/a', mode: 0o600 }))).toEqual([
      'ok',
    ])
    expect(codes(await uploadToAll(fleet, { content: Buffer.alloc(0), to: '-b', mode: 0o600 }))).toEqual([
      'ok',
    ])
    expect(readFileSync(join(home, 'a'), 'utf8')).toBe('content')
    expect(readFileSync(join(home, '-b'), 'utf8')).toBe('')
  })

  test.each([
    [{ bytes: 8, open: () => Readable.from([Buffer.from('content')]) }, 'the upload arrived incomplete'],
    [
      { bytes: 7, sha256: 'f'.repeat(64), open: () => Readable.from([Buffer.from('content')]) },
      'the upload arrived damaged',
    ],
  ])('leaves the old file when the new one is not right: %o', async (content, message) => {
    const fleet = await start(1)
    const home = example.servers[0]?.home ?? ''
    writeFileSync(join(home, 'file'), 'old')
    const error = errorOf(await uploadToAll(fleet, { content, to: 'file', mode: 0o644 }))
    expect(error?.message).toBe(`${fleet.servers[0]?.label}: upload: ${message}`)
    expect(readFileSync(join(home, 'file'), 'utf8')).toBe('old')
    expect(readdirSync(home)).toEqual(['file'])
  })

  test('does not put a file into a directory of that name', async () => {
    const fleet = await start(1)
    mkdirSync(join(example.servers[0]?.home ?? '', 'taken'))
    const error = errorOf(await uploadToAll(fleet, { content: Buffer.from('x'), to: 'taken', mode: 0o644 }))
    expect(error?.message).toMatch(/taken is a directory$/)
  })
})
