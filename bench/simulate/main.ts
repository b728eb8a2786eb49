import { tellError } from '../shared/tell-error.ts'
import { type Options, parseOptions } from './options.ts'
import { seeded } from './random.ts'
import { simulate } from './swarm.ts'

try {
  run(parseOptions())
} catch (error) {
  tellError(error)
}

function run(options: Options): void {
  const { pieces, pieceLength, rate, sites } = options
  const size = pieces * pieceLength
  const ideal = size / Math.min(rate, sites?.rate ?? rate)

  for (const servers of options.servers) {
    const begun = performance.now()
    const random = seeded(options.seed)
    const spread = Array.from({ length: servers + 1 }, () => 1 + options.unequal * (random() * 2 - 1))
    const deaths = new Map<number, number>()
    while (deaths.size < Math.min(options.deaths, servers - 1))
      deaths.set(1 + Math.floor(random() * servers), random() * ideal)
    const rateOf = (server: number) =>
      server === 0 ? rate : (server <= options.slow ? rate / 10 : rate) * (spread[server] as number)
    const result = simulate({
      servers,
      pieces,
      pieceLength,
      rate: rateOf,
      latency: options.latency,
      ...(sites ? { sites } : {}),
      startAt: () => random() * options.start,
      deaths,
      random,
    })
    // Only the number of the slow servers is printed: what counts is what they do to the others.
    // A server on a link slower than the seeder's cannot be done before S over its own rate.
    const times = result.doneAt
      .map((time, at) => time && (time * Math.min(rate, rateOf(at + 1))) / rate)
      .slice(options.slow)
      .filter((time) => time !== undefined)
      .sort((a, b) => a - b)
    const at = (share: number) =>
      ((times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? Number.NaN) / ideal).toFixed(3)
    console.log(
      [
        `${servers} servers${options.slow > 0 ? ` (${options.slow} slow, left out)` : ''}`,
        `first ${at(0)}  median ${at(0.5)}  last ${at(1)} of S/B`,
        `seeder ${(result.seederSent / size).toFixed(3)} of S (${(result.seederSentFirst / size).toFixed(3)} until every piece had left)`,
        `twice ${((100 * result.twice) / (size * servers)).toFixed(2)} %`,
        `unfinished ${result.unfinished}`,
        ...siteFigures(result.sites, size),
        `took ${((performance.now() - begun) / 1000).toFixed(1)} s`,
      ].join('  '),
    )
  }
}

/** What the long links carried. */
function siteFigures(sites: { into: number; out: number }[], size: number): string[] {
  if (sites.length === 0) return []
  const [first, ...others] = sites
  const into = others.map((site) => site.into / size)
  const mean = into.reduce((sum, one) => sum + one, 0) / into.length
  return [
    `into the other sites ${mean.toFixed(3)} of S each, at most ${Math.max(...into).toFixed(3)}`,
    `out of the first site ${((first?.out ?? 0) / size).toFixed(3)} of S`,
  ]
}
