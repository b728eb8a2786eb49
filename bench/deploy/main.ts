import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Lab } from '../../test/support/lab/lab.ts'
import { makeScratch, removeScratch } from '../../test/support/lab/scratch.ts'
import { parseCount, parseServers } from '../shared/numbers.ts'
import { benchProgram, say } from '../shared/program.ts'
import { circumstances, resultName, resultsDirectory, writeResult } from '../shared/results.ts'
import { formatBytes, formatRate, parseAmount, parseList, parseRate } from '../shared/units.ts'
import { deployOnce } from './deploy-run.ts'
import { makeProject } from './project.ts'
import { changeOneLine, makeRepository } from './release.ts'
import { type Measurement, reportTable, taskTable } from './report.ts'
import { placeFor } from './scratch.ts'
import { applyFirewall, missing, WAYS, type Way } from './ways.ts'

const DEPLOY_TO = '/srv/app'
/** One way. */
const MAX_DELAY_MS = 1000
/** Of a long link. */
const QUEUE_BYTES = 2 ** 20

interface Case {
  servers: number
  size: number
  rate: number | undefined
}

await benchProgram(async () => {
  const { values } = parseArgs({
    options: {
      servers: { type: 'string', default: '1,5,12' },
      size: { type: 'string', default: '20M,500M' },
      rate: { type: 'string', default: '0,50M' },
      rounds: { type: 'string', default: '1' },
      against: { type: 'string', default: 'rsync,murder' },
      congestion: { type: 'string' },
      delay: { type: 'string', default: '0' },
      scratch: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const ways = parseList(values.against).filter((name): name is Way => {
    const way = WAYS.find((known) => known === name)
    if (!way) throw new Error(`--against ${name}: known are ${WAYS.join(', ')}`)
    const problem = missing(way)
    if (problem) say(`*** ${way} does not take part: ${problem} ***`)
    return !problem
  })
  const cases: Case[] = parseList(values.size).flatMap((size) =>
    parseList(values.rate).flatMap((rate) =>
      parseServers(values.servers).map((servers) => ({
        servers,
        size: parseAmount(size),
        rate: parseRate(rate),
      })),
    ),
  )

  const rounds = parseCount('--rounds', values.rounds)
  const delayMs = Number(values.delay)
  if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) throw new Error(`--delay takes 0 to ${MAX_DELAY_MS} ms`)
  if (delayMs > 0 && cases.some(({ rate }) => rate === undefined))
    throw new Error('--delay needs a --rate: a long link has one')

  const measurements: Measurement[] = []
  const scratch = await makeScratch('deploy')
  try {
    for (const size of new Set(cases.map((one) => one.size))) {
      const repository = join(scratch, 'repository')
      await makeRepository(repository, size)
      for (const one of cases.filter((one) => one.size === size)) {
        for (let round = 1; round <= rounds; round++) {
          // They take turns at going first, so that none always finds a warm machine.
          for (const way of round % 2 ? ways : [...ways].reverse()) {
            const scratch = values.scratch ?? (await placeFor(one.servers, size))
            measurements.push(
              ...(await runWay(repository, one, way, round, {
                scratch,
                delayMs,
                congestion: values.congestion,
              })),
            )
          }
        }
      }
      await rm(repository, { recursive: true })
    }
  } finally {
    await removeScratch(scratch)
  }

  process.stdout.write(`\n${reportTable(measurements)}\n\n${taskTable(measurements)}\n\n`)
  const file = values.json ?? join(resultsDirectory, `${resultName('deploy')}.json`)
  await writeResult(
    file,
    `${JSON.stringify({ ...circumstances(), parameters: values, measurements }, null, 2)}\n`,
  )
  const failed = measurements.filter((one) => one.problems.length > 0)
  if (failed.length > 0) throw new Error(`${failed.length} of ${measurements.length} deploys went wrong`)
})

/** All servers at one far site. */
function farLinks(servers: number, rate: number, delayMs: number) {
  return { sites: [0, servers], longLink: { rate, delayMs, lossPercent: 0, queueBytes: QUEUE_BYTES } }
}

/** The first and the second deploy of one way, on fresh servers. */
async function runWay(
  repository: string,
  { servers, size, rate }: Case,
  way: Way,
  round: number,
  { scratch, delayMs, congestion }: { scratch: string; delayMs: number; congestion: string | undefined },
): Promise<Measurement[]> {
  const far = delayMs > 0 && rate ? farLinks(servers, rate, delayMs) : {}
  const lab = await Lab.create({ hosts: servers, rate, deployHost: true, scratch, congestion, ...far })
  try {
    await Promise.all(lab.servers.map((server) => lab.sshd(server)))
    await applyFirewall(lab, way)
    const addresses = lab.servers.map((server) => server.address)
    const root = join(lab.directory, 'deploy')
    const project = await makeProject(root, way, addresses, DEPLOY_TO, lab.keys.identity)
    await cp(repository, project.repository, {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    })
    const measurements: Measurement[] = []
    for (const deploy of ['first', 'second'] as const) {
      if (deploy === 'second') await changeOneLine(project.repository)
      const run = await deployOnce(lab, project, way, DEPLOY_TO)
      say(
        `${formatBytes(size)}, ${formatRate(rate)}, ${servers} servers, round ${round}, ${deploy} deploy, ` +
          `${way}: ${run.seconds.toFixed(1)} s${run.problems.map((problem) => `\n  WRONG: ${problem}`).join('')}`,
      )
      for (const [host, programs] of Object.entries(run.left))
        say(`  left running on ${host}: ${programs.join('; ')}`)
      measurements.push({ servers, size, rate, round, way, deploy, scratch, ...run })
    }
    return measurements
  } finally {
    await lab.destroy()
  }
}
