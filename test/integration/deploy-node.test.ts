import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Project } from '../support/harness/deploy-project.ts'
import { killAll, quiet } from '../support/processes.ts'
import { describeIf, type Sshd, sshdMissing, startSshd } from '../support/sshd.ts'
import { survey } from '../unit/package/trees.ts'

const needs = sshdMissing ?? (process.getuid?.() === 0 ? undefined : 'mount namespaces need root')
const whole = (path: string) => survey(realpathSync(path), (mtime) => String(mtime / 1000n))

/** Every Node of this machine. */
const nodes = () => {
  const named = ['/usr/bin/node', '/usr/bin/nodejs', '/usr/local/bin/node', process.execPath]
  return [...new Set(named.filter(existsSync).map((path) => realpathSync(path)))]
}

/** A program on the server that says it is this version, and else is the Node that runs this test. */
const nodeSaying = (version: string) =>
  `#!/bin/sh\n[ "$1" != -p ] || { echo ${version}; exit; }\nexec '${process.execPath}' "$@"\n`

interface Server {
  project: Project
  deployTo: string
  sshd: Sshd
  configure(murder?: object): void
}

/** A server with these programs in its home directory, which has `~/bin` on its PATH, and all that the system has but Node. */
async function server(programs: Record<string, string>, { hidden = [] as string[] } = {}): Promise<Server> {
  const project = new Project()
  const [home, tools] = [join(project.root, 'home'), join(project.root, 'tools')]
  mkdirSync(tools)
  const system = readdirSync('/usr/bin').filter((name) => !/^(node|nodejs|npm|npx)$/.test(name))
  for (const name of system) symlinkSync(join('/usr/bin', name), join(tools, name))
  for (const [name, text] of Object.entries(programs)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), text, { mode: 0o755 })
  }
  mkdirSync(home, { recursive: true })
  const sshd = await startSshd({ config: [`SetEnv PATH=${home}/bin:${tools} HOME=${home}`], hidden })
  onTestFinished(async () => {
    killAll(project.root)
    await sshd.stop()
    project.remove()
  })
  writeFileSync(join(project.workspace, 'index.html'), 'hello')
  const deployTo = join(project.root, 'app')
  const { host, port, user, key, extraSshOptions } = sshd
  const servers = { host, port, user, extraSshOptions }
  const configure = (murder: object = {}) =>
    void project.configure({ servers, key, deployTo, murder } as never)
  configure()
  return { project, deployTo, sshd, configure }
}

describeIf(needs, 'a server whose PATH has no Node that will do', () => {
  test('Node 16 on the PATH and 22 under nvm: a deploy runs with that of nvm', async () => {
    const { project, deployTo } = await server({
      'bin/node': nodeSaying('v16.20.2'),
      '.nvm/versions/node/v22.99.0/bin/node': nodeSaying('v22.99.0'),
    })
    const setup = await project.run('murder:setup')
    expect(setup.stdout).toMatch(/ v22\.99\.0 \(nvm\) /)
    expect(await project.run()).toMatchObject({ code: 0, stderr: '' })
    expect(whole(join(deployTo, 'current'))).toEqual(whole(project.workspace))
    expect((await project.run('murder:doctor')).code).toBe(0)
  })

  test('a shim that has no version set, and no Node: one line, then one is brought, once', async () => {
    const shim = '#!/bin/sh\necho "Volta error: Node is not available." >&2\nexit 126\n'
    const { project, deployTo, configure } = await server({ 'bin/node': shim }, { hidden: nodes() })
    const env = { XDG_CACHE_HOME: join(project.root, 'cache') }
    mkdirSync(env.XDG_CACHE_HOME) // else Node's own cache goes to the temporary directory
    const without = await project.run('deploy', { ...env, MURDER_OUTPUT: 'json' })
    expect(without.code).toBe(1)
    expect(without.stdout).toMatch(/Node\.js does not run there: Volta error: .*set murder\.node to 'bring'/)

    configure({ node: 'bring' })
    const dry = await project.run('deploy', { ...env, MURDER_DRY_RUN: '1' })
    expect([dry.code, readdirSync(join(deployTo, 'shared/murder')).filter(isNode)]).toEqual([0, []])
    expect(await project.run('deploy', env)).toMatchObject({ code: 0, stderr: '' })
    expect(whole(join(deployTo, 'current'))).toEqual(whole(project.workspace))
    const [brought = '', ...others] = readdirSync(join(deployTo, 'shared/murder')).filter(isNode)
    expect([brought, others]).toEqual([expect.stringContaining(`node-${process.version}-`), []])
    const inode = () => statSync(join(deployTo, 'shared/murder', brought)).ino
    const before = inode()
    const setup = await project.run('murder:setup', env)
    expect([setup.code, inode()]).toEqual([0, before])
    expect(setup.stdout).toContain(`${process.version} (brought by murder)`)
    expect(await quiet(project.root)).toEqual([])
    expect(project.leftovers()).toEqual([])
  })

  test('musl (Alpine) gets one line', async () => {
    const ldd = '#!/bin/sh\necho "musl libc (x86_64)" >&2; exit 1\n'
    const alpine = { 'bin/getconf': '#!/bin/sh\nexit 1\n', 'bin/ldd': ldd }
    const { project, configure } = await server(alpine, { hidden: nodes() })
    configure({ node: 'bring' })
    const run = await project.run('murder:setup', { MURDER_OUTPUT: 'json' })
    expect(run.code).toBe(1)
    expect(run.stdout).toContain('none can be brought: the C library is musl (Alpine)')
  })
})

const isNode = (name: string) => name.startsWith('node-')
