import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeployLab, deployTo } from '../harness/lab-deploy.ts'
import type { LabHost } from '../lab/host.ts'
import { BREAK_CODE, CONFIG, makeRepository, nodeScript, plainCode } from './project.ts'
import { RandomServer } from './server.ts'
import type { Fleet } from './world.ts'

const NODE = '/srv/node'

/** Three servers with real sshd in namespaces. */
export async function labFleet(): Promise<Fleet & { lab: DeployLab }> {
  const lab = await DeployLab.of(3)
  const { directory, workspace } = lab.project
  const target = {
    ...CONFIG,
    servers: lab.servers.map(({ address }) => `root@${address}`),
    key: lab.lab.keys.identity,
    deployTo,
    workspace,
    keepWorkspace: true,
    shallowClone: false,
  }
  const file = join(directory, 'shipitfile.js')
  const [loads = ''] = /^const plugin0[\s\S]*?plugin0\(shipit\)\n/.exec(readFileSync(file, 'utf8')) ?? []
  const config = { default: target, production: { murder: { node: NODE, linger: 0 } } }
  const lines = [
    plainCode(target),
    'plugin1(shipit)',
    BREAK_CODE,
    `shipit.initConfig(${JSON.stringify(config)})`,
  ]
  writeFileSync(file, `${loads}${lines.map((line) => `  ${line}\n`).join('')}}\n`)
  const repository = makeRepository(lab.lab.directory)
  const host = (index: number): LabHost => lab.server(index)
  const breakNode = (index: number, isBroken: boolean) =>
    writeFileSync(host(index).outside(NODE), nodeScript(isBroken), { mode: 0o755 })
  const servers = lab.servers.map((server, index) => {
    mkdirSync(server.outside(deployTo), { recursive: true })
    breakNode(index, false)
    return new RandomServer(server.outside(deployTo))
  })
  return {
    lab,
    servers,
    workspace,
    start(tasks, env) {
      const program = lab.start(
        { ...(env.PLAIN ? { GIT_DIR: repository } : {}), ...env },
        ...tasks.split(' '),
      )
      return { ended: lab.end(program), signal: (signal) => void program.kill(signal) }
    },
    async disconnect(index) {
      await lab.lab.exec(host(index), ['pkill', '-9', '-f', 'sshd.*root@notty'], { anyExit: true })
    },
    breakNode,
    async mount(index, path) {
      await lab.lab.exec(host(index), ['mount', '--bind', `${deployTo}/behind`, `${deployTo}/${path}`])
    },
  }
}
