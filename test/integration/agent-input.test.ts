import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withTrackers } from '../../src/torrent/metainfo/metainfo.ts'
import { githubCommands } from '../support/ci-runner.ts'
import { bundledAgent, freePort, Sandbox } from '../support/harness/agent-harness.ts'

const bundled = bundledAgent()
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await Sandbox.make(bundled.program)
  await sandbox.torrent(100_000, await freePort())
  await sandbox.file('other', 'x'.repeat(100_000))
  await sandbox.file('short', 'x')
  await sandbox.file('tree/file', 'content')
  await mkdir(sandbox.path('empty'))
  await sandbox.run(['make-torrent', 'tree', '127.0.0.1:1', 'tree.torrent'])
  execFileSync('mkfifo', [sandbox.path('fifo')])
  const torrent = await readFile(sandbox.path('data.torrent'))
  await writeFile(sandbox.path('udp.torrent'), withTrackers(torrent, ['udp://10.0.0.1:80']))
})
afterAll(() => sandbox.end())

/** One line that holds `text`, the exit code, and nothing else: no stack trace, nothing on standard output. */
async function refuses(args: string[], code: number, text: string | RegExp, stdin = '') {
  const result = await sandbox.run(args, { stdin })
  const lines = result.stderr.split('\n').filter((line) => line.startsWith('murder: '))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(text)
  expect(result.stderr).not.toMatch(/\n {4}at /)
  expect(result).toMatchObject({ code, stdout: '' })
}

describe('a line and exit code 2 for', () => {
  it.each([
    ['an unknown command', ['sed'], "there is no command 'sed' — did you mean murder seed?"],
    ['a command like nothing', ['frobnicate'], 'murder --help'],
    ['a word that every object has', ['toString'], "no command 'toString'"],
    [
      'an unknown flag',
      ['peer', '--lnger', '3', 'a', 'b'],
      'peer has no flag --lnger — did you mean --linger?',
    ],
    ['a flag of another command', ['seed', '--no-linger', 'a', 'b'], 'seed has no flag --no-linger'],
    ['a missing argument', ['peer', 'data.torrent'], 'peer needs <file\\|directory>'],
    ['an argument too many', ['peer', 'a', 'b', 'c', 'd'], "'d'"],
    ['a flag without its value', ['peer', 'a', 'b', '--linger'], '--linger needs a value'],
    ['a value without a use', ['peer', 'a', 'b', '--json=x'], '--json takes no value'],
    ['a port that is none', ['tracker', '--port', '70000'], "--port is '70000'"],
    ['ports the wrong way round', ['peer', 'data.torrent', 'o', '--ports', '9-8'], "--ports is '9-8'"],
    [
      'a limit that is no number',
      ['peer', 'data.torrent', 'o', '--up-limit', 'fast'],
      "--up-limit is 'fast'",
    ],
    ['a time that is no number', ['peer', 'data.torrent', 'o', '--linger', 'x'], "--linger is 'x'"],
    ['a tracker that is none', ['peer', 'data.torrent', 'o', '--tracker', 'foo'], "--tracker is 'foo'"],
    [
      'a UDP tracker',
      ['peer', 'data.torrent', 'o', '--tracker', 'udp://10.0.0.1:80'],
      "--tracker is 'udp://10.0.0.1:80', which is not the address of an HTTP tracker",
    ],
    [
      'a UDP tracker in a torrent',
      ['make-torrent', 'data', 'udp://10.0.0.1:80', 'o.torrent'],
      'is not the address of an HTTP tracker',
    ],
    [
      'a torrent that knows no other tracker',
      ['seed', 'udp.torrent', 'data'],
      "the torrent's tracker is 'udp://10.0.0.1:80'.* --tracker, or others with --peer",
    ],
    ['a peer without a port', ['peer', 'data.torrent', 'o', '--peer', '10.0.0.1'], "--peer is '10.0.0.1'"],
    ['a tag that is a path', ['peer', 'data.torrent', 'o', '--tag', '../x'], "the tag '../x'"],
    [
      'an address that is nowhere',
      ['peer', 'data.torrent', 'o', 'no.invalid'],
      "own address 'no.invalid'.*this machine has",
    ],
    ['stop without what', ['stop'], 'either a tag or --all'],
    [
      '--until-eof in the background',
      ['seed', 'data.torrent', 'data', '--until-eof'],
      '--until-eof needs --foreground',
    ],
    ['a missing torrent', ['peer', 'no.torrent', 'o'], 'no.torrent does not exist'],
    ['a torrent that is a directory', ['peer', 'tree', 'o'], 'tree is not a file'],
    ['a torrent that is a fifo', ['peer', 'fifo', 'o'], 'fifo is not a file'],
    ['a torrent that is something else', ['seed', 'other', 'data'], 'other: .*no usable torrent'],
    ['an empty torrent', ['verify', '-', 'data'], 'no usable torrent'],
    ['content that is not there', ['seed', 'data.torrent', 'nothing'], 'nothing to seed at .*/nothing'],
    [
      'a directory for a file',
      ['peer', 'data.torrent', 'tree'],
      'is a directory, but the torrent is of one file',
    ],
    [
      'a file for a directory',
      ['peer', 'tree.torrent', 'data'],
      'is not a directory, but the torrent is of a directory',
    ],
    ['a source that is not there', ['make-torrent', 'nothing', '10.0.0.1:80', 'o.torrent'], '/nothing'],
    [
      'a torrent in the place of what it is made of',
      ['make-torrent', 'other', '10.0.0.1:80', 'other'],
      'other is there already and is no torrent',
    ],
    [
      'a fifo in the place of the torrent',
      ['make-torrent', 'data', '10.0.0.1:80', 'fifo'],
      'fifo is there already and is no torrent',
    ],
    ['a source that is no file', ['make-torrent', '/dev/null', '10.0.0.1:80', 'o'], 'neither a file nor'],
    ['a source with no files', ['make-torrent', 'empty', '10.0.0.1:80', 'o.torrent'], 'no file in'],
    [
      'a tracker without a port',
      ['make-torrent', 'data', '10.0.0.1', 'o.torrent'],
      "the tracker is '10.0.0.1'",
    ],
    [
      'an odd piece length',
      ['make-torrent', 'data', '10.0.0.1:80', 'o', '--piece-length', '100K'],
      'power of two',
    ],
  ])('%s', async (_, args, text) => {
    await refuses(args, 2, new RegExp(text))
  })
})

describe('a line and the right exit code for', () => {
  it('a torrent that cannot be written', async () => {
    await refuses(['make-torrent', 'data', '10.0.0.1:80', 'no/o.torrent'], 1, /no\/o\.torrent does not exist/)
  })

  it('a target that leads through a file', async () => {
    await refuses(['peer', 'data.torrent', 'other/copy'], 1, /other/)
  })

  it('a target where nothing can be made', async () => {
    await refuses(['peer', 'data.torrent', '/proc/no/copy'], 1, /\/proc\/no/)
  })

  it("content that is not the torrent's", async () => {
    await refuses(['seed', 'data.torrent', 'other'], 1, /other is not what the torrent describes/)
    await refuses(['seed', 'data.torrent', 'short'], 1, /short is not what the torrent describes/)
  })

  it('a tracker that cannot be reached', async () => {
    const args = ['peer', 'data.torrent', 'never', '--connect-timeout', '0.5']
    await refuses(args, 3, /connected to nobody in 0\.5 s: tried tracker http:\S+; .*ECONNREFUSED.*--tracker/)
  })

  it('a peer that cannot be reached', async () => {
    const peer = `127.0.0.1:${await freePort()}`
    const args = ['peer', 'data.torrent', 'never2', '--peer', peer, '--connect-timeout', '0.5']
    await refuses(args, 3, new RegExp(`peer ${peer}`))
    await refuses(['peer', 'tree.torrent', 'new/deep', ...args.slice(3)], 3, new RegExp(`peer ${peer}`))
    for (const path of ['never2', 'new']) expect(existsSync(sandbox.path(path))).toBe(false)
  })

  it('a time that runs out', async () => {
    await refuses(
      ['peer', 'data.torrent', 'never3', '--timeout', '0.5'],
      3,
      /not complete after 0\.5 s: 0% of data/,
    )
  })

  it('a port that is taken', async () => {
    const server = createServer().listen(0)
    await once(server, 'listening')
    const port = String((server.address() as { port: number }).port)
    await refuses(['tracker', '--port', port], 1, new RegExp(`Port ${port} is taken.* with --port$`))
    await refuses(['tracker', '--port', port, '--foreground'], 1, port)
    await refuses(['peer', 'data.torrent', 'never4', '--port', port], 1, port)
    server.close()
  })

  it('a tag that another torrent has', async () => {
    await sandbox.run(['seed', 'data.torrent', 'data', '--tag', 'mine'])
    await refuses(
      ['seed', 'tree.torrent', 'tree', '--tag', 'mine'],
      1,
      /of another torrent \(\w{40}\).*murder stop mine/,
    )
  })

  it('a run directory that others could have put there', async () => {
    await symlink(sandbox.path('tree'), sandbox.path('link'))
    await refuses(
      ['seed', 'data.torrent', 'data', '--run-dir', 'link'],
      1,
      /link is not a directory of this user/,
    )
  })
})

it('reports a failure as the last JSON line, too', async () => {
  const { code, stdout } = await sandbox.run([
    'peer',
    'data.torrent',
    'f',
    '--json',
    '--connect-timeout',
    '0.3',
  ])
  expect(code).toBe(3)
  const last = stdout.trim().split('\n').at(-1) ?? ''
  expect(JSON.parse(last)).toMatchObject({
    event: 'failed',
    code: 'NOT_CONNECTED',
    exitCode: 3,
    cure: expect.stringMatching(/firewall/),
  })
})

it('shows where an error comes from with --debug only', async () => {
  expect((await sandbox.run(['peer', 'no.torrent', 'o', '--debug'])).stderr).toMatch(/\n {4}at /)
})

it('has help for every command, an example first', async () => {
  const { stdout, code } = await sandbox.run(['--help'])
  expect(code).toBe(0)
  for (const command of ['make-torrent', 'tracker', 'seed', 'peer', 'verify', 'stop', 'status']) {
    expect(stdout).toContain(`\n  ${command}`)
    const help = await sandbox.run([command, '--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout.split('\n')[2]).toMatch(new RegExp(`^ {2}murder ${command}`))
  }
})

it('tells its version', async () => {
  expect((await sandbox.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+/)
})

it('does not put the torrent of an earlier call into the next one', async () => {
  await sandbox.file('site/page', 'text')
  // The torrent changes the time of the directory, which is one of its attributes.
  const make = ['make-torrent', 'site', '10.0.0.1:80', 'site/out.torrent', '--no-attributes']
  await sandbox.run(make)
  const first = await readFile(sandbox.path('site/out.torrent'))
  expect(await sandbox.run(make)).toMatchObject({ code: 0 })
  expect(await readFile(sandbox.path('site/out.torrent'))).toEqual(first)
})

it('makes private torrents unless told otherwise', async () => {
  const hash = async (...flags: string[]) =>
    JSON.parse(
      (await sandbox.run(['make-torrent', 'data', '10.0.0.1:80', 'p.torrent', '--json', ...flags])).stdout,
    ).infoHash
  expect(await hash('--private')).toBe(await hash())
  expect(await hash('--no-private')).not.toBe(await hash())
  expect(await readFile(sandbox.path('p.torrent'), 'latin1')).toContain('7:privatei1e')
})

describe('names that others have chosen', () => {
  it('are no command to a terminal, nor to a CI', async () => {
    const names = ['\u001b[2Jcleared\u009b5A', '::error::no\n::add-mask::name', '##[add-mask]it']
    await sandbox.file('hostile/data', 'x')
    for (const name of names) await sandbox.file(`hostile/${name}`, 'x')
    const env = { GITHUB_ACTIONS: 'true' }
    await sandbox.run(['make-torrent', 'hostile', '127.0.0.1:1', 'hostile.torrent'])
    for (const name of names) await rm(sandbox.path('hostile', name))
    const runs = [
      ['verify', 'hostile.torrent', 'hostile'],
      ['verify', 'hostile.torrent', 'hostile', '--json'],
      ['verify', `no${names.join('')}`, 'hostile'],
    ]
    for (const args of runs) {
      const { stdout, stderr } = await sandbox.run(args, { env })
      expect(stdout + stderr).toContain('add-mask')
      expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u)
      expect(githubCommands(`${stdout}\n${stderr}`)).toEqual([])
    }
  })
})
