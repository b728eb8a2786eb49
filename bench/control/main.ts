import { mkdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Lab } from '../../test/support/lab/lab.ts'
import { missing } from '../deploy/ways.ts'
import { parseCount, parseServers } from '../shared/numbers.ts'
import { benchProgram, say } from '../shared/program.ts'
import { fixed, formatTable } from '../shared/table.ts'
import { formatBytes, parseAmount, parseList } from '../shared/units.ts'
import { type Control, deployCounted, sharedCommand } from './control-run.ts'
import { makeControlProject } from './project.ts'

/** What deploys send from the deploy host beside content: how it grows with servers, bytes and files. */
await benchProgram(async () => {
  const { values } = parseArgs({
    options: {
      servers: { type: 'string', default: '1,4,12' },
      size: { type: 'string', default: '20M,1G' },
      files: { type: 'string', default: '10' },
    },
  })
  const problem = missing('murder')
  if (problem) throw new Error(problem)
  const rows: string[][] = []
  for (const size of parseList(values.size).map(parseAmount))
    for (const files of parseList(values.files).map((count) => parseCount('--files', count)))
      for (const servers of parseServers(values.servers)) {
        const measured = await measure(servers, size, files)
        say(`${formatBytes(size)} in ${files} files, ${servers} servers: ${JSON.stringify(measured)}`)
        rows.push(rowOf(servers, size, files, measured))
      }
  const head = [
    'size',
    'files',
    'servers',
    'ssh',
    'tracker',
    'swarm',
    'in all',
    'ssh host true',
    'content ÷ S',
  ]
  process.stdout.write(
    `\nBytes from the deploy host for each server, second deploy:\n${formatTable([head, ...rows])}\n`,
  )
})

interface Measured extends Control {
  /** Of `ssh host true` over a connection that is there. */
  shared: number
}

/** The second of two deploys, so that the agent is there; its content is new. */
async function measure(servers: number, size: number, files: number): Promise<Measured> {
  const lab = await Lab.create({ hosts: servers, deployHost: true })
  try {
    await Promise.all(lab.servers.map((server) => lab.sshd(server)))
    const project = await makeControlProject(join(lab.directory, 'deploy'), {
      servers: lab.servers.map(({ address }) => address),
      identity: lab.keys.identity,
    })
    for (const round of [1, 2]) {
      await fillSparse(project.workspace, size, files, round)
      const counted = await deployCounted(lab, project.directory)
      if (round === 2) return { ...counted, shared: await sharedCommand(lab) }
    }
    throw new Error('unreachable')
  } finally {
    await lab.destroy()
  }
}

/** Files of one length, all hole but some bytes, other ones in each round. */
async function fillSparse(directory: string, size: number, files: number, round: number): Promise<void> {
  await rm(directory, { recursive: true })
  const length = Math.floor(size / files)
  for (let i = 0; i < files; i++) {
    const path = join(directory, `part-${i % 100}`, `file-${round}-${i}`)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, `${round} ${i}\n`.slice(0, length))
    await truncate(path, length)
  }
}

function rowOf(servers: number, size: number, files: number, measured: Measured): string[] {
  const { ssh, tracker, swarm, content, shared } = measured
  const each = (bytes: number) => fixed(bytes / servers, 0)
  return [
    formatBytes(size),
    String(files),
    String(servers),
    ...[ssh, tracker, swarm, ssh + tracker + swarm].map(each),
    String(shared),
    fixed(content / measured.size),
  ]
}
