import { parseArgs } from 'node:util'
import { simulate } from './swarm.ts'

const MIB = 1024 * 1024

/** A small generator with a seed, so that a run can be repeated (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: '10,100,1000' },
    pieces: { type: 'string', default: '1000' },
    'piece-length': { type: 'string', default: '65536' },
    rate: { type: 'string', default: '6250000' },
    latency: { type: 'string', default: '0.0002' },
    slow: { type: 'string', default: '0' },
    deaths: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
})
const pieces = Number(values.pieces)
const pieceLength = Number(values['piece-length'])
const rate = Number(values.rate)
const ideal = (pieces * pieceLength) / rate
for (const servers of values.servers.split(',').map(Number)) {
  const random = seeded(Number(values.seed))
  const slow = Number(values.slow)
  const deaths = new Map<number, number>()
  for (let n = 1; n <= Number(values.deaths); n++) deaths.set(Math.ceil(random() * servers), random() * ideal)
  const begun = Date.now()
  const result = simulate({
    servers,
    pieces,
    pieceLength,
    rate: (server) => (server > 0 && server <= slow ? rate / 10 : rate),
    latency: Number(values.latency),
    startAt: () => random() * 0.2,
    deaths,
    random,
  })
  const times = result.doneAt.sort((a, b) => a - b)
  const at = (share: number) =>
    (times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? Number.NaN) / ideal
  const figures = [
    `${servers} servers`,
    `first ${at(0).toFixed(3)}`,
    `median ${at(0.5).toFixed(3)}`,
    `last ${at(1).toFixed(3)} of S/B`,
    `seeder ${(result.seederSent / (pieces * pieceLength)).toFixed(3)} (${(result.seederSentFirst / (pieces * pieceLength)).toFixed(3)} first)`,
    `twice ${((100 * result.twice) / (pieces * pieceLength * servers)).toFixed(2)} %`,
    `unfinished ${result.unfinished}`,
    `${((Date.now() - begun) / 1000).toFixed(1)} s`,
  ]
  console.log(figures.join('  '))
}
void MIB
