import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { Lab } from '../../test/support/lab/lab.ts'
import { makeScratch, removeScratch } from '../../test/support/lab/scratch.ts'
import { deployOnce } from '../deploy/deploy-run.ts'
import { makeProject } from '../deploy/project.ts'
import { placeFor } from '../deploy/scratch.ts'
import { missing } from '../deploy/ways.ts'
import { parseServers } from '../shared/numbers.ts'
import { benchProgram, say } from '../shared/program.ts'
import { circumstances, resultName, resultsDirectory, writeResult } from '../shared/results.ts'
import { parseAmount, parseList } from '../shared/units.ts'
import { asFile, installed, type Orientation, orient, orientations } from './orientation.ts'
import { type Pair, pairsOf } from './pairs.ts'
import { plotDeltas } from './plot.ts'
import {
  type DeltaRun,
  type DeltaWay,
  intoTable,
  type Orientations,
  orientationTable,
  outTable,
  ways,
} from './report.ts'

const DEPLOY_TO = '/srv/app'

const run = promisify(execFile)

await benchProgram(async () => {
  const { values } = parseArgs({
    options: {
      servers: { type: 'string', default: '1' },
      against: { type: 'string', default: ways.join() },
      pairs: { type: 'string', default: '' },
      large: { type: 'string', default: '100M' },
      image: { type: 'string', default: '2G' },
      native: { type: 'string' },
      upgrade: { type: 'string' },
      scratch: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const problem = missing('murder')
  if (problem) throw new Error(problem)
  const against = parseList(values.against) as DeltaWay[]
  for (const way of against)
    if (!ways.includes(way)) throw new Error(`--against ${way}: known are ${ways.join(', ')}`)
  const fleets = parseServers(values.servers)
  const image = parseAmount(values.image)
  const [native, upgrade] = [twoOf('--native', values.native), twoOf('--upgrade', values.upgrade)]
  for (const [name, two] of Object.entries({ native, upgrade }))
    if (!two) say(`*** no pair "${name}": name two directories with --${name} OLD,NEW ***`)
  const wanted = parseList(values.pairs)
  const pairs = pairsOf({ large: parseAmount(values.large), image, native, upgrade }).filter(
    ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
  )
  for (const name of orientations) if (!installed().includes(name)) say(`*** ${name} is not installed ***`)

  const runs: DeltaRun[] = []
  const found = new Map<string, Orientations>()
  for (const pair of pairs) {
    const scratch =
      values.scratch ?? (await placeFor(Math.max(...fleets), pair.name === 'scattered pages' ? image : 100e6))
    const releases = await makeScratch('delta', scratch)
    try {
      const [old, next] = [join(releases, 'old'), join(releases, 'next')]
      await mkdir(old)
      await pair.make(old)
      await cp(old, next, { recursive: true, verbatimSymlinks: true })
      await pair.change(next)
      found.set(pair.name, await orientationsOf(pair, old, next, releases))
      for (const servers of fleets)
        for (const way of against) runs.push(await deltaRun(pair, { old, next, servers, way, scratch }))
    } finally {
      await removeScratch(releases)
    }
  }
  const tables = [
    intoTable(pairs, runs, fleets),
    outTable(pairs, runs, fleets),
    orientationTable(pairs, found),
  ]
  process.stdout.write(`\n${tables.join('\n\n')}\n\n`)
  const file = values.json ?? join(resultsDirectory, `${resultName('delta')}.json`)
  await writeResult(file.replace(/(\.json)?$/, '.svg'), plotDeltas(runs, Math.min(...fleets)))
  const result = { ...circumstances(), parameters: values, runs, others: Object.fromEntries(found) }
  await writeResult(file, `${JSON.stringify(result, null, 2)}\n`)
  const failed = runs.filter(({ problems }) => problems.length > 0)
  if (failed.length > 0) throw new Error(`${failed.length} of ${runs.length} deploys went wrong`)
})

function twoOf(option: string, text: string | undefined): [string, string] | undefined {
  if (text === undefined) return undefined
  const [old, next, ...more] = parseList(text)
  if (!old || !next || more.length > 0) throw new Error(`${option} ${text}: name two directories, OLD,NEW`)
  return [old, next]
}

async function orientationsOf(pair: Pair, old: string, next: string, scratch: string): Promise<Orientations> {
  const files = {
    old: await asFile(old, join(scratch, 'old.tar')),
    next: await asFile(next, join(scratch, 'next.tar')),
  }
  const taken: Partial<Record<Orientation, number>> = {}
  for (const name of installed()) {
    const bytes = await orient(name, { ...files, scratch }).catch((error: Error) => {
      say(`${pair.name}, ${name}: ${error.message.slice(0, 300)}`)
      return undefined
    })
    if (bytes !== undefined) taken[name] = bytes
  }
  for (const file of Object.values(files)) await rm(file)
  return taken
}

interface Case {
  old: string
  next: string
  servers: number
  way: DeltaWay
  scratch: string
}

/** The first and the second deploy on fresh servers; the second is measured. Each has fresh times, as a checkout has. */
async function deltaRun(pair: Pair, { old, next, servers, way, scratch }: Case): Promise<DeltaRun> {
  const lab = await Lab.create({ hosts: servers, deployHost: true, scratch })
  try {
    await Promise.all(lab.servers.map((server) => lab.sshd(server)))
    const addresses = lab.servers.map((server) => server.address)
    const root = join(lab.directory, 'deploy')
    const report = join(root, 'report.json')
    const env = { MURDER_REPORT: report }
    const more = {
      repositoryUrl: undefined,
      ...(way === 'fuzzy' && { deploy: { remoteCopy: { rsync: '--del --fuzzy' } } }),
    }
    const tool = way === 'murder' ? 'murder' : 'rsync'
    const project = await makeProject(root, tool, addresses, DEPLOY_TO, lab.keys.identity, more)
    const problems: string[] = []
    let last = { sent: 0, received: 0 }
    for (const release of [old, next]) {
      await rm(project.workspace, { recursive: true })
      await cp(release, project.workspace, { recursive: true, verbatimSymlinks: true })
      await makeRevision(project.workspace)
      const { sent, received, problems: wrong } = await deployOnce(lab, project, tool, DEPLOY_TO, env)
      problems.push(...wrong)
      last = { sent, received }
    }
    const got = tool === 'murder' && problems.length === 0 ? await gotText(report) : ''
    say(
      `${pair.name}, ${servers} servers, ${way}: ${Math.round(last.received)} B each, ${last.sent} B sent ${got}`,
    )
    for (const wrong of problems) say(`  WRONG: ${wrong}`)
    return { pair: pair.name, servers, way, ...last, got, problems }
  } finally {
    await lab.destroy()
  }
}

/** shipit-deploy notes which revision it deploys. */
async function makeRevision(workspace: string): Promise<void> {
  const git = (...args: string[]) => run('git', ['-C', workspace, ...args])
  await git('init', '-q', '-b', 'master')
  const who = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost']
  await git(...who, 'commit', '-q', '--allow-empty', '-m', 'A release')
}

async function gotText(report: string): Promise<string> {
  const { size, servers } = JSON.parse(await readFile(report, 'utf8')) as {
    size: number
    servers: { delta?: { bytes: number; unchanged?: boolean } }[]
  }
  const [delta] = servers.flatMap(({ delta }) => delta ?? [])
  if (!delta) return `package of ${size}`
  return delta.unchanged ? `times of ${delta.bytes}` : `delta of ${delta.bytes}`
}
