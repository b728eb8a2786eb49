import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ShipitConfig } from '../../src/shipit.ts'
import { names, Project } from '../support/harness/deploy-project.ts'
import { nastyTree } from '../support/harness/nasty-tree.ts'
import { killAll, quiet } from '../support/processes.ts'
import { describeIf, type Sshd, type SshdOptions, sshdMissing, startSshd } from '../support/sshd.ts'
import { survey } from '../unit/package/trees.ts'

const root = process.getuid?.() === 0
const whole = (path: string) => survey(realpathSync(path), (mtime) => String(mtime / 1000n))

async function sshd(options: SshdOptions = {}): Promise<Sshd> {
  const server = await startSshd(options)
  onTestFinished(() => server.stop())
  return server
}

function project(): Project {
  const made = new Project()
  onTestFinished(() => {
    killAll(made.root)
    made.remove()
  })
  return made
}

const remoteOf = ({ host, port, user, extraSshOptions }: Sshd) => ({ host, port, user, extraSshOptions })

describeIf(sshdMissing, 'a whole deploy over OpenSSH', () => {
  test('one server: key, port, strict, twice, rollback', async () => {
    const it = project()
    const server = await sshd()
    nastyTree(it.workspace)
    const deployTo = join(it.root, 'app with space'.replaceAll(' ', '_'))
    it.configure({ servers: remoteOf(server), key: server.key, strict: 'yes', deployTo })
    for (const _ of ['first', 'second']) {
      expect(await it.run()).toMatchObject({ code: 0, stderr: '' })
      expect(whole(join(deployTo, 'current'))).toEqual(whole(it.workspace))
    }
    expect(await it.run('rollback')).toMatchObject({ code: 0 })
    expect(names(deployTo, 'shared/murder/tmp')).toEqual([])
    expect(await quiet(it.root)).toEqual([])
    expect(it.leftovers()).toEqual([])
  })

  test('two names of one machine are noticed before anything happens', async () => {
    const it = project()
    const server = await sshd({ addresses: ['127.0.0.1', '127.0.0.2'] })
    nastyTree(it.workspace)
    const servers = ['127.0.0.1', '127.0.0.2'].map((host) => ({ ...remoteOf(server), host }))
    it.configure({ servers, key: server.key, deployTo: join(it.root, 'app') })
    const run = await it.run()
    expect(run.stdout).toMatch(/@127.0.0.1:\d+ and \S+@127.0.0.2:\d+ are the same machine/)
    expect(run.code).toBe(2)
    expect(names(it.root, 'app/releases')).toEqual([])
  })

  test('behind a bastion, by another name', async () => {
    const it = project()
    const [bastion, server] = [await sshd(), await sshd()]
    nastyTree(it.workspace)
    const options = Object.entries(bastion.extraSshOptions).flatMap(([name, value]) => [
      '-o',
      `${name}=${value}`,
    ])
    const jump = [
      'ssh',
      '-i',
      bastion.key,
      ...options,
      '-p',
      bastion.port,
      '-W',
      '%h:%p',
      `${bastion.user}@${bastion.host}`,
    ]
    const config: ShipitConfig = {
      servers: {
        ...remoteOf(server),
        host: 'app-server',
        extraSshOptions: {
          ...server.extraSshOptions,
          HostName: '127.0.0.1',
          HostKeyAlias: `[127.0.0.1]:${server.port}`,
          ProxyCommand: `'${jump.join(' ')}'`,
        },
      },
      key: server.key,
      deployTo: join(it.root, 'app'),
    }
    it.configure(config)
    expect(await it.run()).toMatchObject({ code: 0, stderr: '' })
    expect(whole(join(it.root, 'app/current'))).toEqual(whole(it.workspace))
    expect(bastion.logins()).toBe(1)
    expect(server.logins()).toBe(1)
  })
})

const noSudo = has('sudo') && root ? undefined : 'sudo and root are needed'
describeIf(sshdMissing ?? noSudo, 'a whole deploy as another user', () => {
  test.each(['Defaults requiretty', 'Defaults:root requiretty'])(
    'with %s and NOPASSWD fails in the check for that cause',
    async (line) => {
      const it = project()
      const instead = { '/etc/sudoers': `${line}\nroot ALL=(ALL:ALL) NOPASSWD: ALL\n` }
      const server = await sshd({ instead })
      nastyTree(it.workspace)
      it.configure({
        servers: remoteOf(server),
        key: server.key,
        asUser: 'nobody',
        deployTo: join(it.root, 'app'),
      })
      const run = await it.run()
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(/ check +sudo there runs in a terminal only +add "Defaults !requiretty"/)
      expect(run.stdout).not.toContain('add a NOPASSWD rule')
      expect(names(it.root, 'app')).toEqual([])
    },
  )

  test('asUser: sudo hides the address of the deploy host, and it is found all the same', async () => {
    const it = project()
    const server = await sshd()
    nastyTree(it.workspace)
    const deployTo = join(it.root, 'app')
    mkdirSync(deployTo)
    chownSync(deployTo, 65534, 65534)
    for (const path of [it.root, server.directory]) chmodSync(path, 0o755)
    it.configure({ servers: remoteOf(server), key: server.key, asUser: 'nobody', deployTo })
    expect(await it.run()).toMatchObject({ code: 0, stderr: '' })
    expect(whole(join(deployTo, 'current'))).toEqual(whole(it.workspace))
    expect(statSync(join(deployTo, 'current/plain.txt')).uid).toBe(65534)
  })
})

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
