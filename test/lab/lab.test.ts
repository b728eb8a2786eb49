import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Lab, labAvailable } from '../support/lab/lab.ts'
import { scratchRoot } from '../support/lab/scratch.ts'

describe.skipIf(!labAvailable())('the lab', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await Lab.create({ hosts: 3, rate: 20e6, rates: { server3: 5e6 }, deployHost: true })
    for (const server of lab.servers) await lab.sshd(server)
  })
  afterAll(() => lab?.destroy())

  const ssh = (server: string, command: string) => lab.exec('deploy', ['ssh', server, command])

  it('gives every host an address, a name and a way to every other', async () => {
    expect(lab.hosts.map((host) => [host.name, host.address])).toEqual([
      ['deploy', '10.77.0.1'],
      ['server1', '10.77.1.1'],
      ['server2', '10.77.1.2'],
      ['server3', '10.77.1.3'],
    ])
    for (const server of lab.servers) {
      expect((await ssh(server.address, 'hostname; echo $SSH_CONNECTION')).stdout).toMatch(
        new RegExp(`^${server.name}\n10.77.0.1 \\d+ ${server.address} 22\n$`),
      )
    }
    expect((await lab.exec('server2', ['ssh', 'server3', 'hostname'])).stdout).toBe('server3\n')
  })

  it('gives every host its own /srv, /tmp and home', async () => {
    for (const { name } of lab.servers)
      await ssh(name, `mkdir -p /srv/app && echo ${name} | tee /srv/app/who /tmp/who ~/who`)
    for (const server of lab.servers) {
      expect((await ssh(server.name, 'cat /srv/app/who /tmp/who ~/who')).stdout).toBe(
        `${server.name}\n`.repeat(3),
      )
      expect(await readFile(server.outside('/srv/app/who'), 'utf8')).toBe(`${server.name}\n`)
    }
    expect(existsSync('/srv/app/who')).toBe(false)
    expect(existsSync('/tmp/who')).toBe(false)
  })

  it('shows every host the working directory and Node', async () => {
    const { stdout } = await lab.exec('server1', [process.execPath, '-p', 'process.cwd()'], {
      cwd: process.cwd(),
    })
    expect(stdout).toBe(`${process.cwd()}\n`)
  })

  it('counts the bytes that cross each link', async () => {
    const file = join(lab.directory, 'content')
    await writeFile(file, Buffer.alloc(1_000_000, 7))
    const before = await lab.counters()
    await lab.exec('deploy', ['scp', '-q', file, 'server2:/srv/content'])
    const after = await lab.counters()
    expect((await readFile(lab.host('server2').outside('/srv/content'))).length).toBe(1_000_000)
    const moved = (name: string, way: 'sent' | 'received') =>
      (after.get(name)?.[way] ?? Number.NaN) - (before.get(name)?.[way] ?? Number.NaN)
    for (const bytes of [moved('deploy', 'sent'), moved('server2', 'received')]) {
      expect(bytes).toBeGreaterThan(1_000_000)
      expect(bytes).toBeLessThan(1_300_000)
    }
    expect(moved('server1', 'received')).toBeLessThan(100_000)
  })

  it('limits both ends of each link, to its own rate', async () => {
    const rates = async (name: string) =>
      (await lab.exec(name, ['tc', 'qdisc', 'show', 'dev', 'eth0'])).stdout.match(/rate (\S+)/)?.[1]
    expect([await rates('deploy'), await rates('server1'), await rates('server3')]).toEqual([
      '20Mbit',
      '20Mbit',
      '5Mbit',
    ])
    // 1 MB over the slow link cannot take less than 1.2 s, in either direction, but for the bursts.
    for (const command of ['cat > /dev/null', 'head -c 1000000 /dev/zero']) {
      const start = process.hrtime.bigint()
      await lab.exec('deploy', ['ssh', 'server3', command], {
        input: Buffer.alloc(command.startsWith('cat') ? 1e6 : 0),
      })
      expect(Number(process.hrtime.bigint() - start) / 1e9).toBeGreaterThan(1.2)
    }
    await lab.setRate('server3', undefined)
    expect(await rates('server3')).toBeUndefined()
    await lab.setRate('server3', 5e6)
    expect(await rates('server3')).toBe('5Mbit')
  })

  it('cuts a link in silence and restores it', async () => {
    const session = lab.spawn('deploy', ['ssh', 'server1', 'echo up; read line; echo "got $line"'])
    await session.line(/^up$/)
    await lab.cut('server1')
    session.child.stdin?.write('hello\n')
    const attempt = await lab.exec('deploy', ['ssh', '-o', 'ConnectTimeout=1', 'server1', 'true'], {
      anyExit: true,
    })
    expect(attempt.code).toBe(255)
    expect(session.stdout).toBe('up\n')
    expect((await ssh('server2', 'echo here')).stdout).toBe('here\n')
    await lab.restore('server1')
    await session.line(/^got hello$/)
    expect((await session.ended).code).toBe(0)
  })

  it('signals the program itself and reports how it ended', async () => {
    const program = lab.spawn('server1', [
      'bash',
      '-c',
      'trap "echo bye; exit 130" INT; echo up; while :; do sleep 0.1; done',
    ])
    await program.line(/^up$/)
    program.kill('SIGINT')
    await program.line(/^bye$/)
    expect((await program.ended).code).toBe(130)
  })

  it('collects orphans, so that an ended process is gone', async () => {
    const script = 'setsid sleep 0.1 & echo $!'
    const pid = (await lab.exec('server1', ['bash', '-c', script])).stdout.trim()
    const wait = `for i in $(seq 100); do [ -e /proc/${pid} ] || exit 0; sleep 0.1; done; cat /proc/${pid}/stat; exit 1`
    expect(await lab.exec('server1', ['bash', '-c', wait], { anyExit: true })).toMatchObject({ code: 0 })
  })

  it('removes what crashed runs left behind, and only that', async () => {
    const [old, foreign] = [join(scratchRoot, '1-1-1-lab'), join(scratchRoot, 'something-else')]
    for (const directory of [old, foreign]) await mkdir(join(directory, 'hosts'), { recursive: true })
    const other = await Lab.create({ hosts: 1 })
    await other.destroy()
    expect([existsSync(old), existsSync(foreign), existsSync(lab.directory)]).toEqual([false, true, true])
    await rm(foreign, { recursive: true })
  })

  it('ends when the program that made it is killed', async () => {
    const program = join(lab.directory, 'program.mjs')
    const contents = `import { Lab } from './test/support/lab/lab.ts'
      const lab = await Lab.create({ hosts: 1 })
      const sleeper = lab.spawn('server1', ['sh', '-c', 'echo up; exec sleep 1000'])
      await sleeper.line(/^up$/)
      console.log(sleeper.pid())`
    const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' as const }
    await build({ stdin, outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
    const maker = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [pid] = await once(maker.stdout, 'data')
    const sleeper = `/proc/${String(pid).trim()}`
    expect(existsSync(sleeper)).toBe(true)
    maker.kill('SIGKILL')
    await vi.waitFor(() => expect(existsSync(sleeper)).toBe(false), 10_000)
  })

  it('ends all that runs in it, and removes its directory, when destroyed', async () => {
    const other = await Lab.create({ hosts: 1 })
    const [server] = other.servers
    if (!server) throw new Error('no server')
    const program = other.spawn(server, ['bash', '-c', 'setsid sleep 1000 & echo up; wait'])
    await program.line(/^up$/)
    const inside = program.pid()
    expect(inside).toBeDefined()
    await other.destroy()
    await other.destroy()
    await program.ended
    expect(existsSync(`/proc/${inside}`)).toBe(false)
    expect(existsSync(other.directory)).toBe(false)
    expect((await ssh('server1', 'echo still here')).stdout).toBe('still here\n')
  })
})
