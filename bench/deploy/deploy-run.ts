import { readlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Lab } from '../../test/support/lab.ts'
import type { LabHost } from '../../test/support/lab-host.ts'
import { compareTrees } from './compare-trees.ts'
import type { Project, Way } from './project.ts'

export interface DeployRun {
  /** Wall clock of the whole command. */
  seconds: number
  /** Seconds of each Shipit task. */
  tasks: Record<string, number>
  /** Bytes that left the deploy host. */
  sent: number
  /** What was wrong on any server afterwards. */
  problems: string[]
}

/** Longest that a deploy may take, seconds. */
const patience = 3600

/** One `npx shipit production deploy`, and a look at every server afterwards. */
export async function deployOnce(lab: Lab, project: Project, way: Way, deployTo: string): Promise<DeployRun> {
  const sentBefore = await sentBytes(lab)
  const start = process.hrtime.bigint()
  const result = await lab.exec('deploy', ['npx', 'shipit', 'production', 'deploy'], {
    cwd: project.directory,
    anyExit: true,
    timeout: patience * 1000,
  })
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const sent = (await sentBytes(lab)) - sentBefore
  const problems =
    result.code === 0
      ? await checkServers(lab, project, way, deployTo)
      : [`exit ${result.signal ?? result.code}: ${`${result.stdout}${result.stderr}`.trim().slice(-1500)}`]
  return { seconds, sent, tasks: taskTimes(result.stdout), problems }
}

async function sentBytes(lab: Lab): Promise<number> {
  return (await lab.counters()).get('deploy')?.sent ?? Number.NaN
}

/** From Shipit's own `Finished 'deploy:fetch' after 1.2 s`. */
export function taskTimes(output: string): Record<string, number> {
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
  const current = await readlink(join(app, 'current')).catch(() => undefined)
  if (current === undefined) return ['no symlink current']
  // An absolute target would be one of the server's own paths.
  const release = current.startsWith('/') ? server.outside(current) : resolve(app, current)
  return compareTrees(project.workspace, release, { ignore: ['.git', 'REVISION'], mtimes: way === 'murder' })
}
