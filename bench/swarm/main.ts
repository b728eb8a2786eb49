import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Lab } from '../../test/support/lab/lab.ts'
import type { LongLink } from '../../test/support/lab/long-link.ts'
import { makeScratch, removeScratch } from '../../test/support/lab/scratch.ts'
import { benchProgram, say } from '../shared/program.ts'
import { randomBytes, randomSource } from '../shared/random.ts'
import { circumstances, resultName, resultsDirectory, writeResult } from '../shared/results.ts'
import { formatBytes, formatRate } from '../shared/units.ts'
import { contenders } from './contenders/index.ts'
import { type Options, parseOptions } from './options.ts'
import { plot } from './plot.ts'
import { type Content, Race } from './race.ts'
import { reportTable } from './report.ts'
import { type Run, summarize } from './summary.ts'

await benchProgram(async () => {
  const options = parseOptions()
  const names = await available(options.against)
  const scratch = await makeScratch('swarm')
  const runs: Run[] = (await Promise.all(options.with.map((file) => earlierRuns(file, options)))).flat()
  try {
    const content = await makeContent(scratch, options.size)
    for (const servers of options.servers) {
      for (let round = 1; round <= options.rounds; round++) {
        // The contenders take turns at going first, so that none always finds the machine in the same state.
        const order = [
          ...names.slice((round - 1) % names.length),
          ...names.slice(0, (round - 1) % names.length),
        ]
        for (const contender of order) {
          const run = { contender, servers, round, ...(await runOne(contender, servers, content, options)) }
          say(describe(run))
          runs.push(run)
        }
      }
    }
  } finally {
    await removeScratch(scratch)
  }

  const { size, rate, sites, longLink } = options
  const narrowest = longLink ? Math.min(longLink.rate, rate ?? Number.POSITIVE_INFINITY) : rate
  const everyName = Object.keys(contenders)
  const byOrder = (a: { contender: string }, b: { contender: string }) =>
    everyName.indexOf(a.contender) - everyName.indexOf(b.contender)
  const summaries = summarize(runs, size, narrowest, Object.keys(options.slow)).sort(
    (a, b) => a.servers - b.servers || byOrder(a, b),
  )
  const limit = narrowest === undefined ? undefined : (size * 8) / narrowest
  const others = Object.entries(options.slow)
    .map(([host, slow]) => `, ${host} ${formatRate(slow)}`)
    .join('')
  const far = sites && longLink ? `, ${describeSites(sites, longLink)}` : ''
  const title = `${formatBytes(size)} to each server, links ${formatRate(rate)}${others}${far}`
  process.stdout.write(`\n${title}${limit === undefined ? '' : `, S/B = ${limit.toFixed(2)} s`}\n\n`)
  process.stdout.write(`${reportTable(summaries, size, narrowest, Object.keys(options.slow).length > 0)}\n\n`)
  const out = options.out ?? join(resultsDirectory, resultName('swarm'))
  const parameters = {
    ...options,
    servers: [...new Set(summaries.map((one) => one.servers))],
    against: everyName.filter((name) => runs.some((run) => run.contender === name)),
    with: undefined,
    out: undefined,
  }
  const json = { ...circumstances(), parameters, limitSeconds: limit, summaries, runs }
  await writeResult(`${out}.json`, `${JSON.stringify(json, null, 2)}\n`)
  await writeResult(`${out}.svg`, plot(runs, summaries, limit, title))
  const failed = runs.filter((run) => run.problems.length > 0).length
  if (failed > 0) throw new Error(`${failed} of ${runs.length} runs went wrong`)
})

/** A comparison that takes too long for one sitting is made in parts. */
async function earlierRuns(file: string, { size, rate, sites, longLink }: Options): Promise<Run[]> {
  const { parameters, runs } = JSON.parse(await readFile(file, 'utf8')) as {
    parameters: Options
    runs: Run[]
  }
  const isSame = isDeepStrictEqual(
    [parameters.size, parameters.rate, parameters.sites, parameters.longLink],
    [size, rate, sites, longLink],
  )
  if (!isSame) throw new Error(`--with ${file}: it is of another size or rate, or of other sites`)
  return runs
}

async function available(names: string[]): Promise<string[]> {
  const found: string[] = []
  for (const name of names) {
    try {
      await contenders[name]?.setUp()
      found.push(name)
    } catch (error) {
      say(`*** ${name} does not take part: ${error instanceof Error ? error.message : error} ***`)
    }
  }
  if (found.length === 0) throw new Error('no contender is there')
  return found
}

async function makeContent(scratch: string, size: number): Promise<Content> {
  const directory = join(scratch, 'content')
  await mkdir(directory)
  const bytes = randomBytes(size, randomSource(size))
  const file = join(directory, 'content.bin')
  await writeFile(file, bytes)
  return { file, size, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Every run has links, hosts and processes of its own. */
async function runOne(contender: string, servers: number, content: Content, options: Options) {
  const { rate, slow, sites, named, longLink, congestion, pieceLength } = options
  const where = { hosts: servers, sites, longLink, deployHost: true }
  const lab = await Lab.create({ ...where, rate, rates: slow, congestion })
  try {
    const slowest = Math.min(...[rate, longLink?.rate, ...Object.values(slow)].map((one) => one ?? 1e9))
    const timeout = 120 + 2 * servers * ((content.size * 8) / slowest)
    const race = new Race(lab, content, { pieceLength, sites: named ? sites : undefined }, timeout)
    return await race.run(async (race) => contenders[contender]?.run(race))
  } finally {
    await lab.destroy()
  }
}

function describeSites(sites: number[], { rate, delayMs, lossPercent }: LongLink): string {
  const way = `${formatRate(rate)}, ${delayMs} ms one way, ${lossPercent} % loss`
  return `sites of ${sites.join(' and ')} servers, between them ${way}`
}

function describe({ contender, servers, round, done, busy, problems }: Run): string {
  const times = Object.values(done).sort((a, b) => a - b)
  const [first = Number.NaN, last = Number.NaN] = [times[0], times.at(-1)]
  const wrong = problems.map((problem) => `\n  WRONG: ${problem}`).join('')
  const figures = `first ${first.toFixed(2)} s, last ${last.toFixed(2)} s, machine ${Math.round(busy * 100)} % busy`
  return `${servers} servers, round ${round}, ${contender}: ${figures}${wrong}`
}
