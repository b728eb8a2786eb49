import { existsSync } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { LabHost } from '../../test/support/lab/host.ts'
import type { Lab } from '../../test/support/lab/lab.ts'
import { compareTrees } from './compare-trees.ts'
import type { Project } from './project.ts'
import { usesPlugin, type Way } from './ways.ts'

export interface DeployRun {
  /** Wall clock of the whole command. */
  seconds: number
  /** Seconds of each Shipit task. */
  tasks: Record<string, number>
  /** Bytes that left the deploy host, and that came into a server, on average. */
  sent: number
  received: number
  /** Faults on the servers afterwards. */
  problems: string[]
  /** Programs that the deploy left running, by host. That is no failure, but worth a look. */
  left: Record<string, string[]>
}

/** How long a deploy may take. */
const DEPLOY_TIMEOUT_S = 3600

/** One `npx shipit production deploy`, and a look at every server afterwards. */
export async function deployOnce(
  lab: Lab,
  project: Project,
  way: Way,
  deployTo: string,
  env: Record<string, string> = {},
): Promise<DeployRun> {
  const before = await carried(lab)
  const start = process.hrtime.bigint()
  const result = await lab.exec('deploy', ['npx', 'shipit', 'production', 'deploy'], {
    cwd: project.directory,
    env,
    anyExit: true,
    timeout: DEPLOY_TIMEOUT_S * 1000,
  })
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const after = await carried(lab)
  const problems =
    result.code === 0
      ? await checkServers(lab, project, way, deployTo)
      : [`exit ${result.signal ?? result.code}: ${`${result.stdout}${result.stderr}`.trim().slice(-1500)}`]
  const [sent, received] = [after.sent - before.sent, after.received - before.received]
  return { seconds, sent, received, tasks: taskTimes(result.stdout), problems, left: await leftRunning(lab) }
}

/** All processes in the hosts but the first one, sshd's listener and the command that asks. */
async function leftRunning(lab: Lab): Promise<Record<string, string[]>> {
  const left: Record<string, string[]> = {}
  for (const host of lab.hosts) {
    const { stdout } = await lab.exec(host, ['ps', '-eo', 'pid=,ppid=,args='])
    const programs = stdout
      .split('\n')
      .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)?.slice(1) ?? [])
      .filter(
        ([pid, , args = '']) =>
          pid && pid !== '1' && !/^(ps -eo|\/usr\/sbin\/sshd -D|sshd: .*listener)/.test(args),
      )
      .map(([, , args = '']) => args)
    if (programs.length > 0) left[host.name] = programs
  }
  return left
}

async function carried(lab: Lab): Promise<{ sent: number; received: number }> {
  const counters = await lab.counters()
  const each = lab.servers.map(({ name }) => counters.get(name)?.received ?? Number.NaN)
  const received = each.reduce((sum, one) => sum + one, 0) / each.length
  return { sent: counters.get('deploy')?.sent ?? Number.NaN, received }
}

/** From Shipit's own `Finished 'deploy:fetch' after 1.2 s`. */
function taskTimes(output: string): Record<string, number> {
  const tasks: Record<string, number> = {}
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of Shipit's log
  const plain = output.replace(/\x1b\[\d+m/g, '')
  for (const [, task = '', number, unit = ''] of plain.matchAll(/Finished '([^']+)' after ([\d.]+) (\S+)/g)) {
    tasks[task] = Number(number) * ({ s: 1, ms: 1e-3, μs: 1e-6, min: 60 }[unit] ?? Number.NaN)
  }
  return tasks
}

async function checkServers(lab: Lab, project: Project, way: Way, deployTo: string): Promise<string[]> {
  const problems: string[] = []
  for (const server of lab.servers) {
    const differences = await checkServer(server, project, way, deployTo)
    problems.push(...differences.map((difference) => `${server.name}: ${difference}`))
  }
  return problems
}

async function checkServer(server: LabHost, project: Project, way: Way, deployTo: string): Promise<string[]> {
  const app = server.outside(deployTo)
  // Without this, a plugin that changes nothing would be measured as rsync.
  if (usesPlugin(way) && !existsSync(join(app, 'shared', 'murder')))
    return ['no agent: the plugin did not deploy']
  const current = await readlink(join(app, 'current')).catch(() => undefined)
  if (current === undefined) return ['no symlink current']
  // An absolute target would be one of the server's own paths.
  const release = current.startsWith('/') ? server.outside(current) : resolve(app, current)
  return compareTrees(project.workspace, release, { ignore: ['.git', 'REVISION'], mtimes: usesPlugin(way) })
}
