import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterEach, expect, test, vi } from 'vitest'
import type { Outcome, RunOptions } from '../../src/fleet/command.ts'
import { Fleet, type FleetOptions } from '../../src/fleet/fleet.ts'
import { PersistentShell } from '../../src/fleet/persistent-shell.ts'
import { stay } from '../../src/fleet/persistent-shell-script.ts'
import type { Server, SshRemote } from '../../src/fleet/ssh/server.ts'
import { upload } from '../../src/fleet/upload.ts'
import { quote } from '../../src/text/shell-quote.ts'
import { type PoolOptions, poolOf } from '../support/pool.ts'
import { childrenOf, commandOf, descendants, gone } from '../support/processes.ts'
import { describeIf, type Sshd, type SshdOptions, sshdMissing, startSshd } from '../support/sshd.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function sshd(options: SshdOptions = {}): Promise<Sshd> {
  const started = await startSshd(options)
  cleanups.push(() => started.stop())
  return started
}

function fleetOf(
  remotes: SshRemote[],
  { key }: Sshd,
  options: FleetOptions = {},
  pool: PoolOptions = {},
): Fleet {
  const fleet = new Fleet(poolOf(remotes, { key, ...pool }), options)
  cleanups.push(() => fleet.close())
  return fleet
}

const codes = (outcomes: Outcome[]) => outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))
const sshProcesses = () => descendants().filter((args) => /^ssh |sh -c exec ssh /.test(args))

/** Lines of ~/.ssh/config for this test, without touching the user's own. */
function useConfig({ directory }: Sshd, lines: string[]): void {
  const config = join(directory, 'ssh_config')
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  writeFileSync(config, lines.join('\n'))
  const wrapper = `#!/bin/sh\nPATH=${quote(process.env.PATH ?? '')} exec ssh -F ${quote(config)} "$@"\n`
  writeFileSync(join(bin, 'ssh'), wrapper, { mode: 0o755 })
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`)
  cleanups.push(() => vi.unstubAllEnvs())
}

/** An input that stays open and gives nothing. */
const never = () => new Readable({ read() {} })

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' })
    return true
  } catch {
    return false // What `command -v` says by its exit code.
  }
}

describeIf(sshdMissing, 'a fleet of real sshd servers', () => {
  test('all commands of a server share one login, also when the first ones come at once', async () => {
    const servers = [await sshd(), await sshd()] as const
    const fleet = fleetOf([...servers], servers[0])
    writeFileSync(
      join(servers[1].directory, 'authorized_keys'),
      execFileSync('ssh-keygen', ['-y', '-f', servers[0].key]),
    )
    const script = { script: 'printf "hello "; cat', stdin: 'payload' }
    const all = await Promise.all(Array.from({ length: 5 }, () => fleet.run('try', () => script)))
    for (const outcomes of all)
      expect(outcomes).toMatchObject(Array(2).fill({ ok: true, stdout: 'hello payload' }))
    expect(servers.map((server) => server.logins())).toEqual([1, 1])
    expect(sshProcesses()).toHaveLength(2)
    await fleet.close()
    expect(sshProcesses()).toEqual([])
  })

  test('what is repeatable runs in the shell that stays, and in a session of its own when that is gone', async () => {
    const server = await sshd()
    const fleet = fleetOf([server], server)
    const [one] = fleet.servers as [Server]
    const held = {
      step: 'hold',
      script: `echo "held by $$"\n${stay(':')}`,
      answerTimeout: 10,
      signal: new AbortController().signal,
    }
    const hold = new PersistentShell(fleet, one, held)
    const said = await hold.said
    fleet.useShell(one, hold)
    const run = (script: string, options: RunOptions = {}) =>
      fleet.run('try', () => ({ script }), { repeatable: true, ...options })
    expect(await run('echo "held by $$"')).toMatchObject([
      { ok: true, stdout: `${said.ok && said.stdout}\n` },
    ])
    expect(await run('echo oops >&2; exit 4')).toMatchObject([
      { ok: false, error: { code: 'COMMAND_FAILED' } },
    ])
    expect(codes(await run('sleep 9', { totalTimeoutS: 0.2 }))).toEqual(['TIMED_OUT'])
    expect(sshProcesses()).toHaveLength(1) // what holds, over the connection that all share
    expect(await run('echo $PPID-$$')).not.toMatchObject([{ stdout: expect.stringContaining('held') }])

    const other = new PersistentShell(fleet, one, held)
    await other.said
    fleet.useShell(one, other)
    const mark = join(server.directory, 'began')
    const running = run(`if [ -e ${quote(mark)} ]; then echo again; else : >${quote(mark)}; sleep 9; fi`)
    while (!existsSync(mark)) await setTimeout(20)
    await other.close()
    const [outcome] = await running
    expect(outcome).toMatchObject({ ok: true, stdout: 'again\n' })
  })

  test('values are inert on both machines and binary payloads arrive', async () => {
    const server = await sshd()
    const fleet = fleetOf([server], server)
    const mark = join(server.directory, 'hacked')
    const values = [
      `$(touch ${mark})`,
      `\`touch ${mark}\``,
      `'; touch ${mark}; '`,
      `a\ntouch ${mark}\n`,
      '!!',
      '%s',
    ]
    const [outcome] = await fleet.run('try', () => ({
      script: `printf '%s|' ${values.map(quote).join(' ')}`,
    }))
    expect(outcome).toMatchObject({ ok: true, stdout: values.map((value) => `${value}|`).join('') })
    expect(existsSync(mark)).toBe(false)
    const to = join(server.directory, 'a b', 'every byte')
    const content = Buffer.from(
      Array.from({ length: 1 << 20 }, (_, index) => (index * 7 + (index >> 8)) & 255),
    )
    await upload(fleet, fleet.servers[0] as Server, { content, to, mode: 0o644 })
    const [read] = await fleet.run('try', () => ({ script: `cksum < ${quote(to)}` }))
    const expected = execFileSync('cksum', { input: content, encoding: 'utf8' })
    expect(read).toMatchObject({ ok: true, stdout: expected })
  })

  const shells = [
    ['bash', 'bash -c'],
    ['dash', 'dash -c'],
    ['csh', 'csh -c'],
    ['fish', 'fish -c'],
    ['zsh', 'zsh -c'],
    ['busybox', 'busybox sh -c'],
  ] as const
  for (const [program, login] of shells) {
    test.skipIf(!has(program))(
      `a user of ${program} who prints greetings is served all the same`,
      async () => {
        const shell = `echo hello; echo noise >&2; exec ${login} "$SSH_ORIGINAL_COMMAND"`
        const server = await sshd({ config: [`ForceCommand ${shell}`] })
        const fleet = fleetOf([server], server)
        const value = `it's $HOME\n\`x\` !`
        const [outcome] = await fleet.run('try', () => ({
          script: `printf %s ${quote(value)}; cat; echo oops >&2`,
          stdin: ' and more',
        }))
        expect(outcome).toMatchObject({ ok: true, stdout: `${value} and more`, stderr: 'oops\n' })
      },
    )
  }

  test('a server that turns connections away for a while is tried again', async () => {
    const server = await sshd({ config: ['MaxStartups 1:100:1', 'LoginGraceTime 60'] })
    // Takes the only place for connections that have not logged in yet.
    const occupant = connectSocket(server.port, server.host)
    cleanups.push(() => occupant.destroy())
    await once(occupant, 'data')
    const fleet = fleetOf([server], server, { random: () => 0 })
    const running = fleet.run('try', () => ({ script: 'true' }))
    await server.logged('MaxStartups')
    occupant.destroy()
    expect(codes(await running)).toEqual(['ok'])
  })

  test('a server that goes on turning us away is reported', async () => {
    const server = await sshd({ config: ['MaxStartups 1:100:1', 'LoginGraceTime 60'] })
    const occupant = connectSocket(server.port, server.host)
    cleanups.push(() => occupant.destroy())
    await once(occupant, 'data')
    const fleet = fleetOf([server], server, { retries: 1, random: () => 0 })
    expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['SSH_TURNED_AWAY'])
  })

  test('many servers behind one busy sshd all get through', async () => {
    const addresses = Array.from({ length: 12 }, (_, index) => `127.0.0.${index + 1}`) as [
      string,
      ...string[],
    ]
    const server = await sshd({ addresses, config: ['MaxStartups 2:100:2'] })
    const fleet = fleetOf(
      addresses.map((host) => ({ ...server, host })),
      server,
    )
    expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(Array(12).fill('ok'))
  })

  test('where sessions cannot be shared, commands connect by themselves', async () => {
    const server = await sshd({ config: ['MaxSessions 1'] })
    const fleet = fleetOf([server], server)
    const outcomes = await Promise.all(
      [1, 2, 3].map(() => fleet.run('try', () => ({ script: 'cat', stdin: 'x' }))),
    )
    for (const outcome of outcomes) expect(outcome).toMatchObject([{ ok: true, stdout: 'x', stderr: '' }])
  })

  test('more commands at once than a connection has sessions', async () => {
    const server = await sshd()
    const fleet = fleetOf([server], server)
    const runs = Array.from({ length: 14 }, () => fleet.run('try', () => ({ script: 'sleep 1; echo x' })))
    for (const outcome of await Promise.all(runs))
      expect(outcome).toMatchObject([{ ok: true, stdout: 'x\n' }])
  })

  test('a user’s own multiplexing is used', async () => {
    const server = await sshd()
    const own = { ControlMaster: 'auto', ControlPath: join(server.directory, 'own'), ControlPersist: '60' }
    const remote = { ...server, extraSshOptions: { ...server.extraSshOptions, ...own } }
    const fleet = fleetOf([remote], server)
    expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['ok'])
    expect(existsSync(own.ControlPath)).toBe(true)
    await fleet.close()
    expect(existsSync(own.ControlPath)).toBe(true)
    execFileSync('ssh', ['-o', `ControlPath=${own.ControlPath}`, '-O', 'exit', 'any'], { stdio: 'ignore' })
    expect(server.logins()).toBe(1)
  })

  test('through a bastion: one that refuses for a while is tried again, and its own failures are named', async () => {
    const server = await sshd()
    const spare = createServer().listen(0, '127.0.0.1')
    await once(spare, 'listening')
    const { port } = spare.address() as AddressInfo
    spare.close()
    await once(spare, 'close')
    const known = Object.entries({ ...server.extraSshOptions, StrictHostKeyChecking: 'no' })
    useConfig(server, [`IdentityFile ${server.key}`, ...known.map(([name, value]) => `${name} ${value}`)])
    const through = (bastion: string) => ({
      ...server,
      extraSshOptions: { ...server.extraSshOptions, ProxyJump: bastion },
    })
    const tries: string[] = []
    const fleet = fleetOf([through(`127.0.0.1:${port}`)], server, {
      random: () => 0,
      onCommand: (_, step, __, outcome) => outcome === 'again' && tries.push(step),
    })
    const running = fleet.run('try', () => ({ script: 'true' }))
    while (tries.length < 2) await setTimeout(20)
    const config = [`AuthorizedKeysFile ${join(server.directory, 'authorized_keys')}`]
    const bastion = await sshd({ port, config })
    expect(codes(await running)).toEqual(['ok'])
    expect(bastion.logins()).toBe(1)
    const closed = await sshd({ config: [...config, 'AllowTcpForwarding no'] })
    const [outcome] = await fleetOf([through(`127.0.0.1:${closed.port}`)], server).run('try', () => ({
      script: 'true',
    }))
    expect(outcome).toMatchObject({ error: { code: 'SSH_BASTION' } })
  })

  test.each(['INFO', 'ERROR', 'QUIET'])(
    'a bastion that forbids forwarding is named, with LogLevel %s',
    async (level) => {
      const server = await sshd()
      const config = [`AuthorizedKeysFile ${join(server.directory, 'authorized_keys')}`]
      const open = await sshd({ config })
      const closed = await sshd({ config: [...config, 'AllowTcpForwarding no'] })
      const elsewhere = await sshd({ config: [...config, 'PermitOpen 192.0.2.1:22'] })
      const ours = {
        ...server.extraSshOptions,
        StrictHostKeyChecking: 'no',
        IdentityFile: server.key,
        LogLevel: level,
      }
      const file = join(server.directory, 'ssh_config')
      const host = (name: string, port: number, how: string[] = []) => [
        `Host ${name}`,
        'HostName 127.0.0.1',
        `Port ${port}`,
        ...how,
      ]
      useConfig(server, [
        ...host('closed', closed.port),
        ...host('elsewhere', elsewhere.port),
        ...host('open', open.port),
        ...host('far-closed', closed.port, ['ProxyJump open']),
        ...host('a', server.port, ['ProxyJump closed']),
        ...host('b', server.port, ['ProxyJump elsewhere']),
        ...host('c', server.port, [`ProxyCommand ssh -F ${file} -q -W %h:%p closed 2>/dev/null`]),
        ...host('d', server.port, ['ProxyJump open,closed']),
        ...host('e', server.port, [`ProxyCommand ssh -F ${file} -qW %h:%p far-closed`]),
        ...host('f', server.port, ['ProxyJump closed,open']),
        ...host('g', 1, ['ProxyJump open']),
        'Host *',
        ...Object.entries(ours).map(([name, value]) => `  ${name} ${value}`),
      ])
      const retried: string[] = []
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
      const fleet = fleetOf(
        names.map((name) => ({ host: name, user: userInfo().username })),
        server,
        { onCommand: ({ host: name }, _, __, outcome) => outcome === 'again' && retried.push(name) },
      )
      const outcomes = await fleet.run('try', () => ({ script: 'true' }))
      const said = outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.message.split(': try: ')[1]))
      const forbids = ({ port }: Sshd) => `the bastion 127.0.0.1:${port} forbids to forward connections to it`
      expect(said).toEqual([
        forbids(closed),
        forbids(elsewhere),
        forbids(closed),
        forbids(closed),
        forbids(closed),
        `the bastion 127.0.0.1:${closed.port} on the way to it cannot connect to the next one: administratively prohibited`,
        'nothing listens on its SSH port 22',
      ])
      expect(retried).toEqual([])
    },
  )

  test('what ~/.ssh/config sets for people changes no session', async () => {
    const server = await sshd()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    cleanups.push(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const mark = join(server.directory, 'local-command')
    const lines = [
      `LocalForward 127.0.0.1:${port} 127.0.0.1:22`,
      `DynamicForward 127.0.0.1:${port}`,
      'ExitOnForwardFailure yes',
      'RemoteCommand echo mine; sleep 60',
      'RequestTTY force',
      'SessionType none',
      'StdinNull yes',
      'ForkAfterAuthentication yes',
      'Tunnel point-to-point',
      'PermitLocalCommand yes',
      `LocalCommand touch ${mark}`,
      'LogLevel QUIET',
    ]
    useConfig(server, lines)
    const fleet = fleetOf([server], server)
    for (const login of [true, false]) {
      const outcomes = await fleet.run('try', () => ({ script: 'cat; cat /no/such >&2', stdin: 'x' }), {
        login,
      })
      expect(outcomes).toMatchObject([{ error: { code: 'COMMAND_FAILED' } }])
      expect(await fleet.run('try', () => ({ script: 'cat', stdin: 'x' }), { login })).toMatchObject([
        { ok: true, stdout: 'x' },
      ])
    }
    expect(existsSync(mark)).toBe(false)
    expect(server.logins()).toBe(1)
    const stranger = {
      ...server,
      extraSshOptions: { ...server.extraSshOptions, UserKnownHostsFile: '/dev/null' },
    }
    const refused = await fleetOf([stranger], server).run('try', () => ({ script: 'true' }))
    expect(codes(refused)).toEqual(['SSH_HOST_KEY_UNKNOWN'])
  })

  test('a connection that broke is made again, and what ran on it has failed', async () => {
    const server = await sshd()
    const fleet = fleetOf([server], server)
    const broken = await fleet.run('try', () => ({
      script: 'echo up; sleep 60',
      onLine: () => server.disconnect(),
    }))
    expect(codes(broken)).toEqual(['SSH_LOST'])
    expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['ok'])
  })

  test('a shared connection whose process was killed is replaced and shared again', async () => {
    const server = await sshd()
    const fleet = fleetOf([server], server)
    expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['ok'])
    const [master] = childrenOf(process.pid).filter((pid) => commandOf(pid).startsWith('ssh '))
    if (master === undefined) throw new Error('there is no shared connection')
    process.kill(master, 'SIGKILL')
    await gone(master)
    // The very next command may have to connect by itself.
    await fleet.run('try', () => ({ script: 'true' }))
    await fleet.run('try', () => ({ script: 'true' }))
    const logins = server.logins()
    for (let n = 0; n < 3; n++)
      expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['ok'])
    expect(server.logins()).toBe(logins)
  })

  test('a changed host key, an unknown one, a wrong key, an unreadable key', async () => {
    const server = await sshd()
    const run = (remote: SshRemote, pool: PoolOptions = {}) =>
      fleetOf([remote], server, {}, pool).run('try', () => ({ script: 'true' }))
    const strangers = { ...server.extraSshOptions, UserKnownHostsFile: '/dev/null' }
    expect(codes(await run({ ...server, extraSshOptions: strangers }))).toEqual(['SSH_HOST_KEY_UNKNOWN'])
    expect(codes(await run({ ...server, extraSshOptions: strangers }, { strict: 'no' }))).toEqual(['ok'])
    expect(codes(await run(server, { key: join(server.directory, 'host') }))).toEqual(['SSH_DENIED'])
    expect(codes(await run(server, { key: '/nowhere/key' }))).toEqual(['SSH_KEY_FILE'])
    chmodSync(server.key, 0o644)
    expect(codes(await run(server))).toEqual(['SSH_KEY_FILE'])
    chmodSync(server.key, 0o600)
    await server.changeHostKey()
    expect(codes(await run(server))).toEqual(['SSH_HOST_KEY_CHANGED'])
  })

  test('a command that it suggests does, when pasted, what the deploy does', async () => {
    const server = await sshd()
    const knownHosts = join(server.directory, 'known hosts')
    writeFileSync(
      knownHosts,
      readFileSync(server.extraSshOptions.UserKnownHostsFile as string, 'utf8').replace('*', '1'),
    )
    const extraSshOptions = { ...server.extraSshOptions, UserKnownHostsFile: `'"${knownHosts}"'` }
    const remote = { host: server.host, port: server.port, user: server.user, extraSshOptions }
    const suggested = async () => {
      const [outcome] = await fleetOf([remote], server, {}, { strict: 'yes' }).run('try', () => ({
        script: ':',
      }))
      return outcome?.ok === false ? (outcome.error.cure ?? '').replace(/^.*: (?=ssh)/, '') : 'nothing'
    }
    const paste = (command: string) => spawnSync('sh', ['-c', command], { encoding: 'utf8', input: '' })
    const authorized = join(server.directory, 'authorized_keys')
    const keys = readFileSync(authorized)
    writeFileSync(authorized, '')
    const login = await suggested()
    expect(paste(login)).toMatchObject({ status: 255, stderr: expect.stringContaining('Permission denied') })
    writeFileSync(authorized, keys)
    expect(paste(login)).toMatchObject({ status: 0 })
    expect(await suggested()).toBe('nothing')
    await server.changeHostKey()
    expect(paste(await suggested())).toMatchObject({ status: 0 })
    const byHand = await suggested() // Now the key is unknown.
    expect(byHand).not.toContain('StrictHostKeyChecking')
    expect(paste(byHand.replace('ssh ', 'ssh -o StrictHostKeyChecking=accept-new '))).toMatchObject({
      status: 0,
    })
    expect(await suggested()).toBe('nothing')
  })

  test('an abort ends the command on the server’s side of the connection too', async () => {
    const server = await sshd()
    const fleet = fleetOf([server], server)
    const abort = new AbortController()
    const ended = join(server.directory, 'ended')
    const outcomes = await fleet.run(
      'try',
      // Its input stays open; that it ends tells the script that the deploy host has gone.
      () => ({
        script: `echo up; cat >/dev/null; : > ${quote(ended)}`,
        stdin: never,
        onLine: () => abort.abort(),
      }),
      { signal: abort.signal },
    )
    expect(codes(outcomes)).toEqual(['INTERRUPTED'])
    const [waited] = await fleet.run('try', () => ({
      script: `for n in 1 2 3 4 5 6 7 8 9 10; do [ -e ${quote(ended)} ] && exit 0; sleep 0.5; done; exit 1`,
    }))
    expect(waited?.ok).toBe(true)
  })

  test('nothing survives a deploy that was killed', async () => {
    const server = await sshd()
    const holder = hold(server, 'hold')
    await once(holder.stdout, 'data')
    const [master] = childrenOf(holder.pid)
    if (master === undefined) throw new Error('there is no shared connection')
    holder.kill('SIGKILL')
    await server.logged('disconnected by user')
    await gone(master)
  })

  test('a deploy that ends without closing the fleet ends, and so does the connection', async () => {
    const server = await sshd()
    const holder = hold(server, 'end')
    expect(await once(holder, 'exit')).toEqual([0, null])
    await server.logged('disconnected by user')
  })
})

function hold(server: Sshd, then: 'hold' | 'end') {
  const bundle = join(server.directory, 'hold.cjs')
  const entry = fileURLToPath(new URL('../support/hold.ts', import.meta.url))
  buildSync({ entryPoints: [entry], outfile: bundle, bundle: true, platform: 'node', format: 'cjs' })
  const holder = spawn(process.execPath, [bundle, JSON.stringify(server), server.key, then])
  cleanups.push(() => holder.kill('SIGKILL'))
  return holder
}

const isRootWithSudo = process.getuid?.() === 0 && has('sudo')
describeIf(
  sshdMissing ?? (isRootWithSudo ? undefined : 'needs root and sudo'),
  'commands as another user',
  () => {
    test('run as that user, with their input', async () => {
      const server = await sshd()
      const fleet = fleetOf([server], server, {}, { asUser: 'nobody' })
      const value = `it's $HOME\n\`x\` "y"`
      const [outcome] = await fleet.run('try', () => ({
        script: `id -un; printf '%s ' ${quote(value)}; cat`,
        stdin: 'payload',
      }))
      expect(outcome).toMatchObject({ ok: true, stdout: `nobody\n${value} payload` })
    })

    test('that does not exist is a clear failure', async () => {
      const server = await sshd()
      const fleet = fleetOf([server], server, {}, { asUser: 'no-such-user' })
      expect(codes(await fleet.run('try', () => ({ script: 'true' })))).toEqual(['SUDO_DENIED'])
    })
  },
)
